/* proxy/series.h - the extended protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync.
 *
 * Handlers of client.c's message table. A statement is judged at Parse; what
 * uses it by name is allowed because it was. An error makes the client's
 * messages up to Sync be skipped, as PostgreSQL does.
 */
#ifndef SERIES_H
#define SERIES_H

#include "session.h"

void series_parse(struct session *, const uint8_t *frame, size_t len);
void series_bind(struct session *, const uint8_t *frame, size_t len);
void series_describe(struct session *, const uint8_t *frame, size_t len);
void series_execute(struct session *, const uint8_t *frame, size_t len);
void series_close(struct session *, const uint8_t *frame, size_t len);
void series_flush(struct session *, const uint8_t *frame, size_t len);
void series_sync(struct session *, const uint8_t *frame, size_t len);

#endif
