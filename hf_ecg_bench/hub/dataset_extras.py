def dataset_extras(folder):
    return {}
