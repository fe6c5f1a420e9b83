"""The leaderboard's pages: a snapshot in, HTML out. Needs gradio alone; imports nothing of hf_ecg_bench."""
