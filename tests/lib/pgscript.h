/* tests/lib/pgscript.h - a PostgreSQL server that does as it is told.
 *
 * A thread that accepts one connection for each letter of its script, one after
 * the other, and acts as the letter says. Blocking, with a limit of 20 s.
 *
 *	P	plain from the first byte: talk
 *	N	answers N to SSLRequest, then talk
 *	T	answers S, handshake, then talk
 *	D	handshake at once, then talk
 *	S	answers S and closes
 *	E	answers SSLRequest with an ErrorResponse
 *	X	answers SSLRequest with garbage
 *	I	answers S and more in one send
 *	M	answers N and more in one send
 *	C	ends its side at once
 *	-	says nothing until the peer closes
 *
 * To talk is what `talk` says: echo() answers "hello" with "world"; login()
 * takes a startup packet, sends `reply` and then echoes; cancel() notes a
 * CancelRequest.
 */
#ifndef PGSCRIPT_H
#define PGSCRIPT_H

#include <sys/socket.h>
#include <sys/time.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

struct script {
	const char	*acts;
	void		(*talk)(struct script *);
	const char	*reply;			/* of login() */
	size_t		 reply_len;
	SSL_CTX		*tls;
	int		 listening, port;
	pthread_t	 thread;
	int		 fd;			/* the connection */
	SSL		*ssl;			/* its TLS, or NULL */
	/* read these after script_join() */
	size_t		 served;
	unsigned char	 packet[4096];		/* the last startup or cancel packet */
	size_t		 packet_len;
	bool		 said_terminate;
};

static inline bool
script_read(struct script *s, void *p, size_t n)
{
	size_t there = 0;
	ssize_t got;

	while (there < n) {
		got = s->ssl != NULL ? SSL_read(s->ssl, (char *)p + there, (int)(n - there)) :
		    recv(s->fd, (char *)p + there, n - there, 0);
		if (got <= 0)
			return false;
		there += (size_t)got;
	}
	return true;
}

static inline void
script_write(struct script *s, const void *p, size_t n)
{
	if (s->ssl != NULL)
		(void)SSL_write(s->ssl, p, (int)n);
	else
		(void)send(s->fd, p, n, MSG_NOSIGNAL);
}

static inline void
script_drain(struct script *s)
{
	char c, last = '\0';

	while (script_read(s, &c, 1))
		if (c == 'X' && last == '\0')
			s->said_terminate = true;
}

static inline void
echo(struct script *s)
{
	char word[5];

	if (script_read(s, word, 5) && memcmp(word, "hello", 5) == 0)
		script_write(s, "world", 5);
	script_drain(s);
}

static inline bool
script_packet(struct script *s)
{
	uint32_t len;

	if (!script_read(s, &len, 4) || (len = ntohl(len)) < 8 || len > sizeof(s->packet))
		return false;
	s->packet_len = len - 4;
	return script_read(s, s->packet, s->packet_len);
}

static inline void
login(struct script *s)
{
	if (!script_packet(s))
		return;
	script_write(s, s->reply, s->reply_len);
	echo(s);
}

static inline void
cancel(struct script *s)
{
	script_packet(s);
}

static inline bool
script_secure(struct script *s)
{
	s->ssl = SSL_new(s->tls);
	SSL_set_fd(s->ssl, s->fd);
	return SSL_accept(s->ssl) == 1;
}

static inline void
script_answer(struct script *s, const char *answer, size_t n)
{
	char request[8];

	if (script_read(s, request, 8))
		script_write(s, answer, n);
}

static inline void
script_act(struct script *s, char act)
{
	static const char error[] = "E\0\0\0\017SFATAL\0\0";
	char c;

	switch (act) {
	case 'P':
		s->talk(s);
		break;
	case 'N':
		script_answer(s, "N", 1);
		s->talk(s);
		break;
	case 'T':
		script_answer(s, "S", 1);
		if (script_secure(s))
			s->talk(s);
		break;
	case 'D':
		if (script_secure(s))
			s->talk(s);
		break;
	case 'S':
		script_answer(s, "S", 1);
		break;
	case 'E':
		script_answer(s, error, sizeof(error) - 1);
		script_drain(s);
		break;
	case 'X':
		script_answer(s, "?", 1);
		script_drain(s);
		break;
	case 'I':
		script_answer(s, "SINJECTED", 9);
		script_drain(s);
		break;
	case 'M':
		script_answer(s, "NINJECTED", 9);
		script_drain(s);
		break;
	case 'C':
		shutdown(s->fd, SHUT_WR);
		script_drain(s);
		break;
	case '-':
		while (recv(s->fd, &c, 1, 0) > 0)
			continue;
		break;
	default:
		break;
	}
}

static inline void *
script_run(void *arg)
{
	const struct timeval limit = { 20, 0 };
	struct script *s = arg;
	const char *act;

	for (act = s->acts; *act != '\0'; act++) {
		if ((s->fd = accept(s->listening, NULL, NULL)) < 0)
			break;
		setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		script_act(s, *act);
		SSL_free(s->ssl);
		s->ssl = NULL;
		close(s->fd);
		s->served++;
	}
	close(s->listening); /* whoever comes now is refused */
	return NULL;
}

/* A bound port; nobody listens, so that connecting is refused. */
static inline int
script_bind(int *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sin);

	if (bind(fd, (struct sockaddr *)&sin, len) < 0 || getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		return -1;
	*port = ntohs(sin.sin_port);
	return fd;
}

static inline bool
script_start(struct script *s)
{
	const struct timeval limit = { 20, 0 };

	s->listening = script_bind(&s->port);
	setsockopt(s->listening, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return listen(s->listening, 8) == 0 && pthread_create(&s->thread, NULL, script_run, s) == 0;
}

static inline void
script_join(struct script *s)
{
	pthread_join(s->thread, NULL);
}

#endif
