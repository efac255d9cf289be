"""The commands. `check` and the arguments are here; what needs threads and sockets is in `actors` and loaded when used.

Exit codes: 0 done, 1 something outside failed (a broker, a device, a port), 2 the command or the site.yaml is wrong,
130 interrupted by Ctrl-C before it was done.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.cli.common import DONE, FAILED, INTERRUPTED, WRONG, add_site_command, program_version
from orchestrator.cli.run import add_run
from orchestrator.cli.tools import add_tools
from orchestrator.config.file import UnknownEnvironment, load_config
from orchestrator.config.sections import InverterConfig, MqttSource, SiteConfig
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.report.arguments import add_report_arguments, add_simulate_arguments

RELOAD_WITHIN_S = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `arguments` default to those of the process."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except UsageError as error:
        print(error, file=sys.stderr)
        return WRONG
    except OrchestratorError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orchestrator",
        description="Makes the inverters and batteries behind one grid connection act as one plant.",
    )
    parser.add_argument("--version", action="version", version=f"orchestrator {program_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_run(commands)
    check = add_site_command(commands, "check", "find every mistake in a site.yaml; exit 0 fine, 2 wrong", _check)
    check.add_argument("-q", "--quiet", action="store_true", help="print mistakes only, no summary and no warnings")
    _add_set(commands)
    add_tools(commands)
    add_site_command(commands, "reload", "have the running orchestrator take the changed SITE.yaml", _reload)
    add_site_command(
        commands, "health", "whether the orchestrator of SITE.yaml runs and decides; exit 0 yes, 1 no", _health
    )
    release = add_site_command(
        commands, "release", "hand every inverter back to itself: batteries released, limits taken away", _release
    )
    release.add_argument("--lift", action="store_true", help="take away AC limits that are not on record as ours, too")
    _add_explain(commands)
    _add_reports(commands)
    return parser


def _add_set(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_site_command(commands, "set", "publish a setpoint on the topic of SITE.yaml, retained", _set)
    parser.add_argument("payload", metavar="JSON", nargs="?", help="such as '{\"opModExpLimW\": 0}'; '' withdraws it")
    parser.add_argument("--source", metavar="NAME", help="which entry of setpoints.mqtt, where there are several")
    parser.add_argument("--withdraw", action="store_true", help="take the setpoint of the source back")


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = add_site_command(
        commands, "explain", "say in plain words what decided every watt, now or in a recording", _explain
    )
    explain.add_argument("--recording", metavar="FILE", help="a file of `run --record`, in place of the running plant")
    explain.add_argument("--at", metavar="TIME", help="in a recording: the last cycle up to 2026-06-01T12:00:00Z")


def _add_reports(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    simulate = add_site_command(
        commands, "simulate", "rehearse a day of the site in virtual time, without touching it", _simulate
    )
    add_simulate_arguments(simulate)
    report = add_site_command(
        commands, "report", "write a page of every excess over a limit that the ledger knows", _report
    )
    add_report_arguments(report)


def _check(options: argparse.Namespace) -> int:
    from orchestrator.config.warnings import line_loads, line_text, warnings  # noqa: PLC0415 - only what is needed

    config = load_config(options.site)
    missing = _notify_problems(config)
    _require_certificates(config)
    if not options.quiet:
        print(f"{options.site} is fine: {summary(config)}")
        for way, load in line_loads(config).items():
            print(f"line {line_text(way, load)}")
        for line in left_alone(config):
            print(line)
        for warning in (*warnings(config), *missing):
            print(f"warning: {warning}", file=sys.stderr)
    return DONE


def _notify_problems(config: SiteConfig) -> tuple[str, ...]:
    """What keeps people from being written to only here. Raises UsageError for what is wrong in the file itself."""
    if config.notify is None:
        return ()
    from actors.commands.run.notifier import INSTALL, trouble_with  # noqa: PLC0415 - only what is needed

    troubles = trouble_with(config)
    wrong = [trouble for trouble in troubles if trouble != INSTALL]
    if wrong:
        raise UsageError("\n".join(wrong))
    return troubles


def _require_certificates(config: SiteConfig) -> None:
    """Raise UsageError where those of a utility server cannot be used."""
    if config.setpoints.csip_aus is not None:
        from actors.commands.run.csip.configured import require_usable  # noqa: PLC0415 - only what is needed

        require_usable(config)


def left_alone(config: SiteConfig) -> Iterator[str]:
    """What each device of a make goes back to when nobody speaks to it, as far as that is known without asking it."""
    from orchestrator.devices.makes.fallback import fallbacks  # noqa: PLC0415
    from orchestrator.devices.makes.file import PROFILE_YAML  # noqa: PLC0415
    from orchestrator.devices.makes.library import load_profile, profile_names  # noqa: PLC0415

    for inverter in (each for each in config.inverters if isinstance(each, InverterConfig)):
        own = inverter.profile
        if own is None and inverter.driver not in profile_names():
            continue
        profile = load_profile(inverter.driver) if own is None else PROFILE_YAML.load(Path(own), {})
        goes_back = "; ".join(fallbacks(profile)) or "it is not commanded anyway"
        yield f"{inverter.name} ({profile.name}), once nobody commands it any more: {goes_back}"


def summary(config: SiteConfig) -> str:
    """A site in one line."""
    inverters = ", ".join(inverter.name for inverter in config.inverters)
    by_mqtt = [source.name for source in config.setpoints.mqtt]
    sources = ", ".join(by_mqtt) or "none"
    beside = [name for name in config.source_names if name not in by_mqtt]
    others = f"; other sources: {', '.join(beside)}" if beside else ""
    metrics = f"{config.metrics.host}:{config.metrics.port}" if config.metrics else "none"
    mode = "" if config.control.enabled else "; shadow mode, nothing is written"
    return f"site {config.site.name}; inverters: {inverters}; MQTT sources: {sources}{others}; metrics: {metrics}{mode}"


def _set(options: argparse.Namespace) -> int:
    config = load_config(options.site)
    source = _source(config, options.source)
    payload = _payload(options, source)
    from actors.commands.publish import publish_retained  # noqa: PLC0415 - after the checks: it takes a while to load

    publish_retained(source, source.topic, payload)
    where = f"{source.topic} at {source.host}:{source.port}"
    print(f"published on {where}: {payload.decode()}" if payload else f"withdrawn on {where}")
    return DONE


def _source(config: SiteConfig, name: str | None) -> MqttSource:
    sources = {source.name: source for source in config.setpoints.mqtt}
    if not sources:
        raise UsageError("site.yaml has no setpoints.mqtt, so there is no topic to publish on")
    if name is None and len(sources) > 1:
        raise UsageError(f"which source? Say --source with one of: {', '.join(sources)}")
    if name is not None and name not in sources:
        raise UsageError(f"there is no source {name!r} under setpoints.mqtt; there is: {', '.join(sources)}")
    return sources[name] if name is not None else next(iter(sources.values()))


def _payload(options: argparse.Namespace, source: MqttSource) -> bytes:
    """What is published. A payload that the orchestrator would refuse is refused here, where somebody reads why."""
    if options.withdraw or options.payload == "":
        if options.payload:
            raise UsageError("either a setpoint or --withdraw, not both")
        return b""
    if options.payload is None:
        raise UsageError("a setpoint is missing, such as '{\"opModExpLimW\": 0}'; or --withdraw")
    payload = str(options.payload).encode()
    source.language.read(
        payload, source=source.name, received_at_s=0.0, wall_now=datetime.now(UTC), validity_s=source.validity_s
    )
    return payload


def _reload(options: argparse.Namespace) -> int:
    config = load_config(options.site, UnknownEnvironment(os.environ))  # the variables are those of the other process
    from actors.files.process import ask_to_reload  # noqa: PLC0415

    answer = ask_to_reload(Path(config.control.state_dir), RELOAD_WITHIN_S, options.site)
    for line in answer.lines:
        print(line, file=sys.stdout if answer.accepted else sys.stderr)
    return DONE if answer.accepted else WRONG


def _health(options: argparse.Namespace) -> int:
    config = load_config(options.site, UnknownEnvironment(os.environ))
    from actors.commands.health import look  # noqa: PLC0415

    health = look(config, options.site)
    for line in health.lines:
        print(line, file=sys.stdout if health.is_well else sys.stderr)
    return DONE if health.is_well else FAILED


def _release(options: argparse.Namespace) -> int:
    config = load_config(options.site)
    from actors.commands.release import release_site  # noqa: PLC0415
    from actors.files.device_locks import DeviceLocks  # noqa: PLC0415
    from actors.files.process import running_pid  # noqa: PLC0415

    pid = running_pid(Path(config.control.state_dir))
    if pid is not None:
        raise UsageError(f"the orchestrator runs (process {pid}) and would command them anew; stop it first")

    locks = DeviceLocks()
    locks.hold(config)
    all_released = True
    for outcome in release_site(config, lift=options.lift):
        print(outcome, file=sys.stdout if outcome.released else sys.stderr)
        all_released = all_released and outcome.released
    return DONE if all_released else FAILED


def _explain(options: argparse.Namespace) -> int:
    config = load_config(options.site)
    if options.at is not None and options.recording is None:
        raise UsageError("--at looks into a recording: say which with --recording FILE")
    from orchestrator.telemetry.explanation import explain  # noqa: PLC0415

    if options.recording is not None:
        from orchestrator.telemetry.recording import recorded_view  # noqa: PLC0415

        print(explain(recorded_view(config, options.recording, options.at)))
        return DONE
    from actors.commands.state_reader import published_view  # noqa: PLC0415

    print(explain(published_view(config, datetime.now(UTC))))
    return DONE


def _simulate(options: argparse.Namespace) -> int:
    config = load_config(options.site)
    from actors.commands.reports import simulate  # noqa: PLC0415

    simulate(
        config,
        hours=options.hours,
        weather=options.weather,
        page=options.report,
        csv=options.csv,
        version=program_version(),
    )
    return DONE


def _report(options: argparse.Namespace) -> int:
    config = load_config(options.site)
    from actors.commands.reports import report  # noqa: PLC0415

    said = report(
        config, begin=options.begin, end=options.end, page=options.out, csv=options.csv, version=program_version()
    )
    print(said)
    return DONE
