/* proxy/stamp.c - the time of day as log and audit write it. */
#include <stdio.h>
#include <time.h>

#include "stamp.h"

void
stamp_now(char out[STAMP_SIZE])
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(out, STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, STAMP_SIZE - n, ".%06ldZ", now.tv_nsec / 1000 % 1000000);
}
