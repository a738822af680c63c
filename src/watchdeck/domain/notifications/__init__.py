"""Notifications: messages, grouping, routing, escalation, on-call schedules, the outbox."""
