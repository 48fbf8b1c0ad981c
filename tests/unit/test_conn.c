/* Connections over socket pairs and loopback TCP. The other end is a plain
 * socket that the test reads and writes itself; nothing sleeps, the loop is
 * turned until what is expected has happened. */
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conn_int.h"
#include "mailbox.h"

/* --- counted system calls: ours come before libc's ----------------------- */

static _Thread_local unsigned recvs, sends, waits, ctls;

__attribute__((visibility("default"))) ssize_t /* libraries are to find this one */
recv(int fd, void *p, size_t n, int flags)
{
	recvs++;
	return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}

__attribute__((visibility("default"))) ssize_t /* libraries are to find this one */
send(int fd, const void *p, size_t n, int flags)
{
	sends++;
	return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

__attribute__((visibility("default"))) int /* libraries are to find this one */
epoll_wait(int fd, struct epoll_event *ev, int n, int timeout)
{
	waits++;
	return (int)syscall(SYS_epoll_wait, fd, ev, n, timeout);
}

int
epoll_ctl(int fd, int op, int of, struct epoll_event *ev)
{
	ctls++;
	return (int)syscall(SYS_epoll_ctl, fd, op, of, ev);
}

/* --- one connection and its peer ----------------------------------------- */

struct end {
	struct loop *loop;
	struct conn *conn;
	int peer;
	size_t keep;     /* leave so many bytes unconsumed */
	size_t expect;   /* announce this before returning */
	bool pause;      /* after the next data */
	bool hold;       /* consume nothing */
	struct conn *to; /* relay there */
	char log[256];   /* one letter an event: D, d (drained), T, E (end), X (error) */
	struct sb got;
	size_t seen; /* conn_input() of the last delivery */
};

static void
note(struct end *e, char what)
{
	size_t n = strlen(e->log);

	if (n + 1 < sizeof(e->log))
		e->log[n] = what;
}

static void
on_data(struct end *e)
{
	const uint8_t *p;
	size_t n;

	p = conn_input(e->conn, &n);
	e->seen = n;
	if (e->pause)
		conn_pause(e->conn);
	if (e->expect > n) {
		conn_expect(e->conn, e->expect);
		return;
	}
	if (e->hold)
		return;
	n -= n < e->keep ? n : e->keep;
	if (e->to != NULL)
		conn_write(e->to, p, n);
	else
		sb_bytes(&e->got, p, n);
	conn_consume(e->conn, n);
}

static void
on_event(struct conn *c, enum conn_event ev, void *arg)
{
	struct end *e = arg;

	assert_ptr_equal(c, e->conn);
	note(e, "DdTEX"[ev]);
	if (ev == CONN_DATA)
		on_data(e);
}

static bool too_late;

static void
on_too_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	too_late = true;
	event_base_loopbreak(arg);
}

static void
run_until(struct loop *l, bool (*happened)(void *), void *arg)
{
	const struct timeval limit = { 20, 0 };
	struct event *guard = evtimer_new(loop_base(l), on_too_late, loop_base(l));

	too_late = false;
	event_add(guard, &limit);
	while (!happened(arg) && !too_late)
		event_base_loop(loop_base(l), EVLOOP_ONCE);
	event_free(guard);
	if (too_late)
		fail_msg("it never happened");
}

/* Everything that is ready now, and what follows from it. */
static void
settle(struct loop *l)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(loop_base(l), EVLOOP_NONBLOCK);
}

static struct loop *
new_loop(void)
{
	struct err err;
	struct loop *l = loop_new(&err);

	assert_non_null(l);
	return l;
}

static void
tcp_pair(int *a, int *b)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(sin);

	assert_int_equal(bind(listening, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(listening, 1), 0);
	getsockname(listening, (struct sockaddr *)&sin, &len);
	*a = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(*a, (struct sockaddr *)&sin, len), 0);
	*b = accept(listening, NULL, NULL);
	assert_true(*b >= 0);
	close(listening);
}

static void
open_end(struct end *e, bool tcp)
{
	int fd[2];

	memset(e, 0, sizeof(*e));
	e->loop = new_loop();
	if (tcp)
		tcp_pair(&fd[0], &fd[1]);
	else
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	e->peer = fd[1];
	fcntl(e->peer, F_SETFL, O_NONBLOCK);
	e->conn = conn_new(e->loop, fd[0], on_event, e);
}

static void
close_end(struct end *e)
{
	conn_close(e->conn);
	settle(e->loop);
	loop_free(e->loop);
	if (e->peer >= 0)
		close(e->peer);
	sb_free(&e->got);
}

static void
say(struct end *e, const char *text)
{
	assert_int_equal(write(e->peer, text, strlen(text)), strlen(text));
}

static void
hang_up(struct end *e)
{
	close(e->peer);
	e->peer = -1;
}

static void
reset(struct end *e)
{
	const struct linger now = { 1, 0 };

	setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	hang_up(e);
}

/* Reads all that has come at the peer; true at its end. */
static bool
drink(struct end *e, struct sb *into)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(e->peer, buf, sizeof(buf))) > 0)
		sb_bytes(into, buf, (size_t)n);
	return n == 0;
}

/* --- input ---------------------------------------------------------------- */

static void
test_idle_holds_nothing(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, false);
	say(&e, "hello");
	settle(e.loop);
	conn_write(e.conn, "there", 5);
	loop_flush(e.loop);
	assert_string_equal(e.log, "D");
	assert_string_equal(sb_text(&e.got), "hello");
	assert_null(e.conn->left.p);
	assert_null(e.conn->out.p);
	close_end(&e);
}

static void
test_rest_comes_back(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, false);
	e.keep = 2;
	say(&e, "abcd");
	settle(e.loop);
	assert_string_equal(sb_text(&e.got), "ab");
	say(&e, "ef");
	settle(e.loop);
	assert_int_equal(e.seen, 4);
	assert_string_equal(sb_text(&e.got), "abcd");
	assert_string_equal(e.log, "DD");
	close_end(&e);
}

static void
test_long_message(void **state)
{
	size_t size = *(const size_t *)*state, sent = 0;
	char *text = malloc(size);
	struct end e;
	ssize_t n;

	open_end(&e, false);
	memset(text, 'x', size);
	e.expect = size;
	while (sent < size) {
		n = write(e.peer, text + sent, size - sent < 3000 ? size - sent : 3000);
		if (n > 0)
			sent += (size_t)n;
		settle(e.loop);
	}
	assert_string_equal(e.log, "DD"); /* the first piece, and the whole */
	assert_int_equal(e.got.len, size);
	assert_memory_equal(e.got.text, text, size);
	assert_null(e.conn->left.p);
	free(text);
	close_end(&e);
}

static void
test_announced_length_costs_nothing(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, false);
	e.expect = (size_t)1 << 40;
	say(&e, "tiny");
	settle(e.loop);
	say(&e, "more");
	settle(e.loop);
	assert_string_equal(e.log, "D");
	assert_true(e.conn->left.room <= 128 << 10);
	close_end(&e);
}

static void
test_cut_message_is_delivered(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, false);
	e.expect = 100;
	say(&e, "half");
	settle(e.loop);
	e.expect = 0;
	hang_up(&e);
	settle(e.loop);
	assert_string_equal(e.log, "DDE");
	assert_string_equal(sb_text(&e.got), "half");
	close_end(&e);
}

/* --- pausing --------------------------------------------------------------- */

static void
test_pause_and_resume(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, false);
	e.pause = e.hold = true;
	say(&e, "one");
	settle(e.loop);
	say(&e, "two");
	settle(e.loop);
	assert_string_equal(e.log, "D");
	e.pause = e.hold = false;
	conn_resume(e.conn);
	assert_string_equal(e.log, "D"); /* not from inside a call */
	settle(e.loop);
	assert_string_equal(sb_text(&e.got), "onetwo");
	assert_string_equal(e.log, "DDD");
	close_end(&e);
}

static void
test_pausing_costs_no_system_call(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, true);
	settle(e.loop);
	ctls = 0;
	conn_pause(e.conn);
	say(&e, "x");
	settle(e.loop);
	conn_resume(e.conn);
	settle(e.loop);
	assert_string_equal(sb_text(&e.got), "x");
	assert_int_equal(ctls, 0);
	close_end(&e);
}

static const struct gone_row {
	const char *name;
	bool tcp, rst, bytes, patient;
	const char *before, *after; /* events until the resume, and then */
} gone_rows[] = {
	{ "a peer that goes while it is paused is told at once", true, false, false, false, "E", "E" },
	{ "the same over a unix socket", false, false, false, false, "E", "E" },
	{ "a client that sent more and went is told at once, its bytes on resume", true, false, true, false, "E", "DE" },
	{ "a server's last words come before its end", true, false, true, true, "", "DE" },
	{ "a server's last words come before its end on a unix socket", false, false, true, true, "", "DE" },
	{ "a server that goes without words is told while paused", true, false, false, true, "E", "E" },
	{ "a reset is an error, paused or not", true, true, false, false, "X", "" },
};

static void
test_gone(void **state)
{
	const struct gone_row *row = *state;
	size_t before;
	struct end e;

	open_end(&e, row->tcp);
	if (row->patient)
		conn_read_to_end(e.conn);
	conn_pause(e.conn);
	settle(e.loop);
	if (row->bytes)
		say(&e, "last words");
	if (row->rst)
		reset(&e);
	else
		hang_up(&e);
	settle(e.loop);
	assert_string_equal(e.log, row->before);
	before = strlen(e.log);
	conn_resume(e.conn);
	settle(e.loop);
	assert_string_equal(e.log + before, row->after);
	if (row->bytes)
		assert_string_equal(sb_text(&e.got), "last words");
	if (row->rst)
		assert_string_equal(conn_error(e.conn), "Connection reset by peer");
	close_end(&e);
}

static void
test_end_behind_unconsumed(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, true);
	conn_read_to_end(e.conn);
	e.pause = e.hold = true;
	say(&e, "row");
	hang_up(&e);
	settle(e.loop);
	assert_string_equal(e.log, "D");
	e.pause = e.hold = false;
	conn_resume(e.conn);
	settle(e.loop);
	assert_string_equal(e.log, "DDE");
	assert_string_equal(sb_text(&e.got), "row");
	close_end(&e);
}

static void
test_data_and_fin_together(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, true);
	say(&e, "cancel");
	hang_up(&e);
	settle(e.loop);
	assert_string_equal(e.log, "DE");
	assert_string_equal(sb_text(&e.got), "cancel");
	close_end(&e);
}

/* --- output ---------------------------------------------------------------- */

static void
test_write_to_the_gone(void **state)
{
	struct end e;

	(void)state;
	open_end(&e, false);
	say(&e, "FATAL");
	hang_up(&e);
	conn_write(e.conn, "query", 5);
	loop_flush(e.loop);
	assert_string_equal(e.log, "");
	settle(e.loop);
	assert_string_equal(e.log, "DX");
	assert_string_equal(sb_text(&e.got), "FATAL");
	assert_string_equal(conn_error(e.conn), "Broken pipe");
	close_end(&e);
}

static void
test_marks(void **state)
{
	static const char block[64 << 10];
	struct sb got = { 0 };
	size_t written = 0;
	struct end e;

	(void)state;
	open_end(&e, false);
	while (!conn_full(e.conn)) {
		conn_write(e.conn, block, sizeof(block));
		written += sizeof(block);
	}
	loop_flush(e.loop);
	assert_true(conn_output(e.conn) > HIGH_MARK);
	settle(e.loop);
	assert_string_equal(e.log, "");
	while (got.len < written) {
		drink(&e, &got);
		settle(e.loop);
	}
	assert_string_equal(e.log, "d");
	assert_null(e.conn->out.p);
	assert_int_equal(got.len, written);
	sb_free(&got);
	close_end(&e);
}

static void
fill(char *p, size_t n, unsigned seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (char)('a' + (i * 7 + i / 251 + seed) % 26);
}

static void
test_order(void **state)
{
	static const size_t sizes[] = { 3, 100000, 1, 40000, 300000, 5, 32768, 7 };
	struct sb sent = { 0 }, got = { 0 };
	char *p = malloc(300000);
	struct end e;
	size_t i;

	(void)state;
	open_end(&e, false);
	for (i = 0; i < nitems(sizes); i++) {
		fill(p, sizes[i], (unsigned)i);
		conn_write(e.conn, p, sizes[i]);
		sb_bytes(&sent, p, sizes[i]);
	}
	loop_flush(e.loop);
	while (got.len < sent.len) {
		drink(&e, &got);
		settle(e.loop);
	}
	assert_int_equal(got.len, sent.len);
	assert_memory_equal(got.text, sent.text, sent.len);
	free(p);
	sb_free(&sent);
	sb_free(&got);
	close_end(&e);
}

static void
test_one_send(void **state)
{
	struct sb got = { 0 };
	struct end e;
	int i;

	(void)state;
	open_end(&e, true);
	sends = 0;
	for (i = 0; i < 100; i++)
		conn_write(e.conn, "row", 3);
	loop_flush(e.loop);
	assert_int_equal(sends, 1);
	drink(&e, &got);
	assert_int_equal(got.len, 300);
	sb_free(&got);
	close_end(&e);
}

static void
test_relay_cost(void **state)
{
	bool tcp = *(const bool *)*state;
	struct end client, server;
	struct conn *mine;
	char buf[64];
	int i;

	open_end(&client, tcp);
	open_end(&server, tcp);
	mine = server.conn; /* both on one loop */
	server.conn = conn_new(client.loop, dup(mine->fd), on_event, &server);
	conn_close(mine);
	settle(server.loop);
	client.to = server.conn;
	server.to = client.conn;
	settle(client.loop);
	recvs = sends = waits = ctls = 0;
	for (i = 0; i < 10; i++) {
		say(&client, "query");
		event_base_loop(loop_base(client.loop), EVLOOP_ONCE);
		assert_int_equal(read(server.peer, buf, sizeof(buf)), 5);
		say(&server, "answer");
		event_base_loop(loop_base(client.loop), EVLOOP_ONCE);
		assert_int_equal(read(client.peer, buf, sizeof(buf)), 6);
	}
	assert_int_equal(waits, 20);
	assert_int_equal(recvs, 20);
	assert_int_equal(sends, 20);
	assert_int_equal(ctls, 0);
	conn_close(server.conn);
	server.conn = NULL;
	close_end(&client);
	close_end(&server);
}

/* --- closing ---------------------------------------------------------------- */

static void
test_close_sends_and_is_quiet(void **state)
{
	struct sb got = { 0 };
	struct end e;

	(void)state;
	open_end(&e, true);
	say(&e, "ignored");
	conn_write(e.conn, "bye", 3);
	conn_close(e.conn);
	conn_close(e.conn);
	conn_write(e.conn, "late", 4);
	e.conn = NULL;
	settle(e.loop);
	assert_string_equal(e.log, "");
	drink(&e, &got);
	assert_string_equal(sb_text(&got), "bye");
	sb_free(&got);
	close_end(&e);
}

static bool
peer_saw_end(void *arg)
{
	struct end *e = arg;

	return drink(e, &e->got);
}

/* Unread input would make the kernel send RST over our last words. */
static void
test_last_words_arrive(void **state)
{
	static const char block[200 << 10];
	struct end e;

	(void)state;
	open_end(&e, true);
	conn_pause(e.conn);
	say(&e, "a pipeline that nobody reads");
	settle(e.loop);
	conn_write(e.conn, block, sizeof(block));
	conn_write(e.conn, "FATAL", 5);
	conn_close_when_drained(e.conn, 20000);
	run_until(e.loop, peer_saw_end, &e);
	assert_int_equal(e.got.len, sizeof(block) + 5);
	assert_string_equal(e.log, "");
	hang_up(&e);
	settle(e.loop);
	assert_true(TAILQ_EMPTY(&e.loop->conns));
	e.conn = NULL;
	close_end(&e);
}

static bool
no_conns(void *arg)
{
	struct end *e = arg;

	return TAILQ_EMPTY(&e->loop->conns);
}

static void
test_who_never_reads_is_left(void **state)
{
	static const char block[1 << 20];
	struct end e;
	int i;

	(void)state;
	open_end(&e, true);
	for (i = 0; i < 16; i++)
		conn_write(e.conn, block, sizeof(block));
	conn_close_when_drained(e.conn, 1);
	run_until(e.loop, no_conns, &e);
	e.conn = NULL;
	close_end(&e);
}

static void
count_release(void *arg)
{
	++*(int *)arg;
}

static void
test_borrowed(void **state)
{
	struct end e;
	int released = 0, fd;

	(void)state;
	open_end(&e, false);
	fd = e.conn->fd;
	conn_borrow(e.conn, NULL, count_release, &released);
	conn_close(e.conn);
	e.conn = NULL;
	assert_int_equal(released, 0);
	settle(e.loop);
	assert_int_equal(released, 1);
	assert_int_equal(close(fd), 0);
	close_end(&e);
}

static void
test_loop_free_takes_all(void **state)
{
	struct end e;
	int released = 0;

	(void)state;
	open_end(&e, false);
	conn_borrow(e.conn, NULL, count_release, &released);
	close(e.conn->fd);
	loop_free(e.loop);
	assert_int_equal(released, 1);
	close(e.peer);
}

static void
test_addresses(void **state)
{
	struct sockaddr_storage ss;
	struct end e;

	(void)state;
	open_end(&e, false);
	assert_string_equal(conn_address(e.conn), "unix");
	close_end(&e);
	open_end(&e, true);
	assert_string_equal(conn_address(e.conn), "127.0.0.1");
	assert_int_equal(conn_peer(e.conn, &ss), sizeof(struct sockaddr_in));
	close_end(&e);
}

/* "unix" is trusted with passwords: who has no address any more must not get that name. */
static void
test_reset_before_we_look(void **state)
{
	struct end e = { 0 };
	int fd;

	(void)state;
	e.loop = new_loop();
	tcp_pair(&fd, &e.peer);
	reset(&e);
	e.conn = conn_new(e.loop, fd, on_event, &e);
	assert_string_equal(conn_address(e.conn), "gone");
	assert_string_equal(e.log, "");
	settle(e.loop);
	assert_string_equal(e.log, "X");
	close_end(&e);
}

/* --- the loop ---------------------------------------------------------------- */

static void
test_clock(void **state)
{
	struct loop *l = new_loop();
	int64_t a, b;

	(void)state;
	loop_enter(l);
	a = loop_now(l);
	while ((b = loop_now(l)) == a && l->now == 0)
		continue;
	assert_int_equal(a, b);
	loop_leave(l);
	assert_true(loop_now(l) >= a);
	assert_int_equal(l->now, 0);
	loop_free(l);
}

static void
count_letter(void *arg, bool gone)
{
	atomic_int *count = arg;

	atomic_fetch_add(&count[gone], 1);
}

struct sender {
	struct mailbox *mailbox;
	atomic_int *counts;
};

static void *
send_letters(void *arg)
{
	struct sender *s = arg;
	int i;

	for (i = 0; i < 500; i++)
		mailbox_post(s->mailbox, count_letter, s->counts);
	mailbox_unref(s->mailbox);
	return NULL;
}

static bool
hundred_read(void *arg)
{
	return atomic_load((atomic_int *)arg) >= 100;
}

static void
test_letters(void **state)
{
	struct loop *l = new_loop();
	atomic_int counts[2] = { 0, 0 };
	struct sender s = { mailbox_ref(loop_mailbox(l)), counts };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, send_letters, &s), 0);
	run_until(l, hundred_read, &counts[0]);
	loop_free(l); /* the rest find nobody at home */
	pthread_join(thread, NULL);
	assert_int_equal(counts[0] + counts[1], 500);
}

/* Many loops in threads: for the thread sanitizer. */
static void *
relay_thread(void *arg)
{
	struct end e;
	int i;

	(void)arg;
	open_end(&e, true);
	e.to = e.conn;
	for (i = 0; i < 200; i++) {
		say(&e, "ping");
		settle(e.loop);
		drink(&e, &e.got);
	}
	conn_close(e.conn);
	e.conn = NULL;
	i = (int)e.got.len;
	close_end(&e);
	return i == 800 ? e.loop : NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[4];
	void *result;
	size_t i;

	(void)state;
	for (i = 0; i < nitems(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, relay_thread, NULL), 0);
	for (i = 0; i < nitems(threads); i++) {
		pthread_join(threads[i], &result);
		assert_non_null(result);
	}
}

/* --- all of them -------------------------------------------------------------- */

static const size_t small_message = 20000, middle_message = 60000, long_message = 1 << 20;
static const bool over_tcp = true, over_unix = false;

static const struct row {
	const char *name;
	void (*test)(void **);
	const void *arg;
} rows[] = {
	{ "an idle connection holds no buffer", test_idle_holds_nothing, NULL },
	{ "what was not consumed comes before the next bytes", test_rest_comes_back, NULL },
	{ "a message of 20 kB is delivered once it is whole", test_long_message, &small_message },
	{ "a message of 60 kB is delivered once it is whole", test_long_message, &middle_message },
	{ "a message of 1 MB is delivered once it is whole", test_long_message, &long_message },
	{ "an announced length reserves nothing", test_announced_length_costs_nothing, NULL },
	{ "a message that was cut short is shown before the end", test_cut_message_is_delivered, NULL },
	{ "a paused connection is silent and goes on where it was", test_pause_and_resume, NULL },
	{ "pausing and resuming make no system call", test_pausing_costs_no_system_call, NULL },
	{ "the end waits for what was not consumed", test_end_behind_unconsumed, NULL },
	{ "data and FIN in one turn give both events", test_data_and_fin_together, NULL },
	{ "writing to the gone is an error, behind its last words", test_write_to_the_gone, NULL },
	{ "the high mark stops, the low mark drains", test_marks, NULL },
	{ "long and short writes keep their order", test_order, NULL },
	{ "a hundred writes are one send", test_one_send, NULL },
	{ "a relayed message is one epoll_wait, one recv, one send over TCP", test_relay_cost, &over_tcp },
	{ "a relayed message is one epoll_wait, one recv, one send over unix sockets", test_relay_cost, &over_unix },
	{ "closing sends what is written and calls nobody back", test_close_sends_and_is_quiet, NULL },
	{ "last words arrive though the peer's input was not read", test_last_words_arrive, NULL },
	{ "a peer that never reads is left after its time", test_who_never_reads_is_left, NULL },
	{ "a borrowed descriptor goes back, once, on the next turn", test_borrowed, NULL },
	{ "the loop's end releases its connections", test_loop_free_takes_all, NULL },
	{ "addresses are numeric", test_addresses, NULL },
	{ "a client that was reset before we looked is no local one", test_reset_before_we_look, NULL },
	{ "time stands still within a turn", test_clock, NULL },
	{ "letters of threads arrive, or learn that the loop is gone", test_letters, NULL },
	{ "loops in threads do not meet", test_threads, NULL },
};

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(gone_rows)];
	size_t i, n = 0;

	memset(tests, 0, sizeof(tests));
	for (i = 0; i < nitems(rows); i++) {
		tests[n].name = rows[i].name;
		tests[n].test_func = rows[i].test;
		memcpy(&tests[n++].initial_state, &rows[i].arg, sizeof(void *));
	}
	for (i = 0; i < nitems(gone_rows); i++) {
		const struct gone_row *row = &gone_rows[i];

		tests[n].name = row->name;
		tests[n].test_func = test_gone;
		memcpy(&tests[n++].initial_state, &row, sizeof(void *));
	}
	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
