"""Chapman-Shaoxing, in the layout of its figshare release and in that of the PhysioNet/CinC Challenge 2021."""
