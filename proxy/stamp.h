/* proxy/stamp.h - the time of day as log and audit write it. */
#ifndef STAMP_H
#define STAMP_H

#define STAMP_SIZE	32

/* "2026-01-31T23:59:59.123456Z": RFC 3339, UTC, microseconds. */
void	stamp_now(char out[STAMP_SIZE]);

#endif
