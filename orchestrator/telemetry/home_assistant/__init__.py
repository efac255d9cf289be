"""What Home Assistant is told: descriptions of entities by MQTT discovery, and energy that never falls back"""
