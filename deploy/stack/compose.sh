#!/bin/sh
# The whole stack in containers: `compose.sh` with the virtual site, `compose.sh my-site.yaml` with a real one.
# Passwords are made once and lie in deploy/compose/.env, readable by its owner only.
set -eu
umask 077
cd "$(dirname "$0")/../compose"

new_secret() { head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }

if [ ! -f .env ]; then
  for name in MQTT_PASSWORD MQTT_OPERATOR_PASSWORD MQTT_VIEWER_PASSWORD METRICS_TOKEN GRAFANA_PASSWORD; do
    echo "$name=$(new_secret)"
  done > .env
fi

if docker compose version >/dev/null 2>&1; then compose="docker compose"; else compose="docker-compose"; fi
if [ $# -gt 0 ]; then
  SITE=$(realpath "$OLDPWD/$1" 2>/dev/null || realpath "$1")
  export SITE
  set -- -f compose.yaml -f compose.real.yaml
else
  set -- -f compose.yaml
fi
echo "Grafana     http://127.0.0.1:3000   user admin, password in deploy/compose/.env (GRAFANA_PASSWORD)"
echo "Prometheus  http://127.0.0.1:9090"
echo "Mosquitto   127.0.0.1:1883          users orchestrator, operator, viewer; passwords in deploy/compose/.env"
echo "stop        Ctrl-C"
exec $compose "$@" up --build
