"""Virtual devices of SolaX, which Qcells sells too."""
