"""Peers' connections: who publishes, who subscribes, who may come in, and what each of them proves."""
