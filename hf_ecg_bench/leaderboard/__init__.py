"""The leaderboard: a snapshot of results, and a Space that shows it."""
