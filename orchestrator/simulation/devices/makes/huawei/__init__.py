"""Virtual devices of Huawei."""
