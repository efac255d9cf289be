"""Every series with the label `site`: so that those of many sites never mix, whoever reads, pushes or keeps them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric


class OfOneSite(CollectorRegistry):
    """What another registry holds, each sample with the name of the site (of site.yaml) among its labels."""

    def __init__(self, registry: CollectorRegistry, site: str) -> None:
        super().__init__()
        self._of_site = registry
        self._label = {"site": site}

    def collect(self) -> Iterator[Metric]:
        """Called in a thread of the HTTP server; the metrics are made anew for each reading."""
        for metric in self._of_site.collect():
            metric.samples = [each._replace(labels=self._label | each.labels) for each in metric.samples]
            yield metric
