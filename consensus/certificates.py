"""The verified certificates above the floor, both kinds of a view, and the newest finalization.

Not here: verifying them (`certifying`), acting on them (`round`, `finality`).
"""

from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, View
from moyai.primitives.vote import VoteKind

Subject = tuple[VoteKind, View]


class CertificateStore:
    """Certificates by kind and view. The finalization of the floor is kept until a newer floor."""

    def __init__(self, floor: View, finalization: Certificate | None) -> None:
        self._floor = floor
        self.notarizations: dict[View, Certificate] = {}
        self.nullifications: dict[View, Certificate] = {}
        self.floor_finalization = finalization
        self.newest_finalization = finalization
        self.highest_view = floor
        self._durable: set[Subject] = set()  # never iterated

    @property
    def final_view(self) -> View:
        """Return the highest view known to be finalized, also when its blocks are not here yet."""
        newest = self.newest_finalization
        return max(self._floor, newest.view) if newest else self._floor

    def knows(self, certificate: Certificate) -> bool:
        """Return whether the certificate says nothing new."""
        view = certificate.view
        if view <= self.final_view:
            return True
        match certificate.kind:
            case VoteKind.FINALIZE:
                return False
            case VoteKind.NOTARIZE:
                return view in self.notarizations
            case VoteKind.NULLIFY:
                return view in self.nullifications

    def add(self, certificate: Certificate) -> None:
        """Keep a verified certificate that is not known."""
        match certificate.kind:
            case VoteKind.FINALIZE:
                self.newest_finalization = certificate
                self._forget_below(certificate.view)
            case VoteKind.NOTARIZE:
                self.notarizations[certificate.view] = certificate
            case VoteKind.NULLIFY:
                self.nullifications[certificate.view] = certificate
        self.highest_view = max(self.highest_view, certificate.view)

    def of(self, kind: VoteKind, view: View) -> Certificate | None:
        """Return the certificate of this kind and view; the newest one alone of finalizations."""
        match kind:
            case VoteKind.NOTARIZE:
                return self.notarizations.get(view)
            case VoteKind.NULLIFY:
                return self.nullifications.get(view)
            case VoteKind.FINALIZE:
                newest = self.newest_finalization
                return newest if newest is not None and newest.view == view else None

    def certified(self, view: View) -> Digest | None:
        """Return the digest notarized or finalized in `view`."""
        for certificate in (self.newest_finalization, self.floor_finalization):
            if certificate is not None and certificate.view == view:
                return certificate.digest
        notarization = self.notarizations.get(view)
        return notarization.digest if notarization else None

    def of_highest_view(self) -> Certificate | None:
        """Return a certificate of the highest certified view: what justifies being in the next."""
        view = self.highest_view
        newest = self.newest_finalization
        if newest is not None and newest.view == view:
            return newest
        return self.notarizations.get(view) or self.nullifications.get(view)

    def of_views(self, first: View, last: View) -> list[Certificate]:
        """Return the certificates of the views from first to last, ascending, both kinds."""
        found = []
        for view in sorted(self.notarizations.keys() | self.nullifications.keys()):
            if first <= view <= last:
                both = (self.notarizations.get(view), self.nullifications.get(view))
                found += [certificate for certificate in both if certificate is not None]
        return found

    def is_durable(self, certificate: Certificate) -> bool:
        """Return whether the journal surely holds a certificate of this kind and view."""
        return (certificate.kind, certificate.view) in self._durable

    def mark_durable(self, certificate: Certificate) -> None:
        """Note that the journal holds it."""
        self._durable.add((certificate.kind, certificate.view))

    def prune(self, floor: View, finalization: Certificate | None) -> None:
        """Forget what a new floor makes useless."""
        self._floor = floor
        self.floor_finalization = finalization
        self.highest_view = max(self.highest_view, floor)
        self._forget_below(View(floor + 1))
        self._durable = {subject for subject in self._durable if subject[1] > floor}

    def _forget_below(self, first: View) -> None:
        """No block that can still become final builds on a view below the newest final one."""
        for table in (self.notarizations, self.nullifications):
            for view in [view for view in table if view < first]:
                del table[view]
