"""Tables of state.db that are not about alerts: audit, health, changes, rules, maintenance."""
