"""Names of files, folders and splits that several parts of the project must agree on. Imports nothing."""

#: What code needs to know about a prepared dataset; its presence says that the folder is complete.
INFO_FILE = "ecg_bench.json"
#: The card of a dataset's or model's folder.
CARD_FILE = "README.md"
#: Inside a dataset's folder: a file per shard, from which builds are compared.
FINGERPRINTS_FOLDER = "fingerprints"
#: Inside a dataset's folder while it is being written.
WORK_FOLDER = ".ecg_bench"
#: Of every dataset, in this order; a split may be empty.
SPLITS = ("train", "validation", "test")
#: The organisation on the Hub, and the folder of prepared datasets in the working directory.
NAMESPACE = "ecg-bench"
