"""The MQTT actor: setpoints in, state out, and what Home Assistant shows of it"""
