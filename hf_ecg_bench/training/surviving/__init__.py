"""What lets a run survive: checkpoints, folders and processes that end, too little memory."""
