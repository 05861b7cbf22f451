from importlib import resources

import numpy as np


def main():
    with resources.files("digits").joinpath("weights/layer.npy").open("rb") as stream:
        print(np.load(stream))
