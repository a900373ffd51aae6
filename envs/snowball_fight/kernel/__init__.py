"""The game itself: functions on one arena of a `State`, compiled, with loops over arenas in `drivers`."""
