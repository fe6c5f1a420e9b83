"""The PhysioNet/CinC Challenge 2021 sets Ningbo, CPSC2018, CPSC-Extra and Georgia."""
