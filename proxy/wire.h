/* proxy/wire.h - the Postgres protocol, as bytes.
 *
 * Reads and builds messages in memory. Knows no sockets, sessions or policy;
 * never blocks or logs. A reader borrows the bytes that it is given, and the
 * strings that it hands out live exactly as long as they do.
 *
 * Errors are sticky: after a bad read, later ones answer 0, "" or NULL, so a
 * message is read top to bottom like its page in the manual. wire_end() tells
 * whether all of it was there and nothing else; only then trust the values.
 * A writer appends to a growing buffer and is sticky in the same way.
 *
 * PostgreSQL manual, chapter "Frontend/Backend Protocol", sections "Message
 * Formats" and "Error and Notice Message Fields".
 */
#ifndef WIRE_H
#define WIRE_H

#include "base.h"

struct wire_reader {
	const uint8_t	*p;	/* next byte */
	size_t		 left;	/* bytes from p to the end of the message */
	bool		 bad;	/* something was missing; never cleared */
};

void		 wire_reader_init(struct wire_reader *, const void *, size_t);
const uint8_t	*wire_bytes(struct wire_reader *, size_t);	/* NULL when bad */
uint8_t		 wire_u8(struct wire_reader *);
uint16_t	 wire_u16(struct wire_reader *);
uint32_t	 wire_u32(struct wire_reader *);
const char	*wire_str(struct wire_reader *);		/* NUL-terminated, "" when bad */
bool		 wire_end(const struct wire_reader *) must_check;

/* One message's frame, without its body: type byte and body length (the
 * length field less its own four bytes). False: fewer than five bytes there.
 * A length field below 4 gives body = SIZE_MAX: refuse. */
struct wire_frame {
	char	type;
	size_t	body;
};
bool	wire_frame(const uint8_t *, size_t, struct wire_frame *) must_check;
#define WIRE_HEADER	5

struct wire_writer {
	uint8_t	*p;		/* owned; wire_writer_free() */
	size_t	 len, room;
	size_t	 start;		/* of the open message's length field */
	bool	 open, bad;
};

void	wire_writer_free(struct wire_writer *);
void	wire_writer_clear(struct wire_writer *);		/* keeps the memory */
void	wire_begin(struct wire_writer *, char type);		/* type 0: a startup packet has none */
void	wire_finish(struct wire_writer *);			/* fills the length in */
void	wire_put_bytes(struct wire_writer *, const void *, size_t);
void	wire_put_u8(struct wire_writer *, uint8_t);
void	wire_put_u16(struct wire_writer *, uint16_t);
void	wire_put_u32(struct wire_writer *, uint32_t);
void	wire_put_str(struct wire_writer *, const char *);	/* with its NUL */

#endif
