"""Input: keys, commands and times as they are typed."""
