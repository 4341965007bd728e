"""The data of each page: functions from what is known, and what was asked for, to one plain structure."""
