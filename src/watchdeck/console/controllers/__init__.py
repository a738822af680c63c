"""Parts of the application, one subject each: alerts, time travel, commands, terminal programs."""
