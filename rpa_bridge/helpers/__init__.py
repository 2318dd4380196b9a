"""Built once, on the contract alone: waiting, leases, paging. No vendor's name stands here."""
