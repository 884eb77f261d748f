/*
 * milter_bits - what milter.c and milter_step.c share: the numbers of the
 * protocol's options
 */
#ifndef SMTP_MILTER_BITS_H
#define SMTP_MILTER_BITS_H

#include "smtp/milter.h"

enum {
	MILTER_VERSION = 6,
	MILTER_VERSION_OLDEST = 2,
	MILTER_VERSION_UNKNOWN = 3, /* the first with unknown commands, */
	MILTER_VERSION_DATA = 4,    /* with DATA */
	MILTER_VERSION_QUIT_NC = 6,
	MILTER_PACKET_MAX = 4 + LIMIT_MILTER_PACKET
};

/* What a milter may want to do. */
enum milter_action {
	MILTER_ADD_FIELDS = 0x01,
	MILTER_CHANGE_BODY = 0x02,
	MILTER_ADD_RCPTS = 0x04,
	MILTER_DELETE_RCPTS = 0x08,
	MILTER_CHANGE_FIELDS = 0x10,
	MILTER_QUARANTINES = 0x20,
	MILTER_CHANGE_SENDER = 0x40,
	MILTER_ADD_RCPT_ARGS = 0x80,
	MILTER_SET_LISTS = 0x100,
	MILTER_ACTIONS = 0x1ff
};

/* What it does not want to hear, or will not answer. */
enum milter_option {
	MILTER_NO_CONNECT = 0x01,
	MILTER_NO_HELO = 0x02,
	MILTER_NO_MAIL = 0x04,
	MILTER_NO_RCPT = 0x08,
	MILTER_NO_BODY = 0x10,
	MILTER_NO_FIELDS = 0x20,
	MILTER_NO_EOH = 0x40,
	MILTER_MUTE_FIELD = 0x80,
	MILTER_NO_UNKNOWN = 0x100,
	MILTER_NO_DATA = 0x200,
	MILTER_MUTE_CONNECT = 0x1000,
	MILTER_MUTE_HELO = 0x2000,
	MILTER_MUTE_MAIL = 0x4000,
	MILTER_MUTE_RCPT = 0x8000,
	MILTER_MUTE_DATA = 0x10000,
	MILTER_MUTE_UNKNOWN = 0x20000,
	MILTER_MUTE_EOH = 0x40000,
	MILTER_MUTE_BODY = 0x80000,
	MILTER_LEADING_SPACE = 0x100000,
	MILTER_OPTIONS = 0x1ff7ff /* but for 0x800: refused recipients */
};

#endif
