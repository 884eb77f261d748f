/*
 * limits - every bound of every program, in one place
 *
 * Each row has the RFC that asks for it, where one does, and pneu-limits(7)
 * says what happens at it.  Sizes are bytes, times are seconds.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
	/* configuration and environment */
	LIMIT_CONF_LINE = 16384,
	LIMIT_ENV_VALUE = 1024,
	LIMIT_ENV_TOTAL = 262144,
	LIMIT_CMD_ARGS = 256,
	LIMIT_PATH = 512,
	LIMIT_ACCESS = 4194304, /* the file */

	/* what the TLS half of a connection tells of it */
	LIMIT_FACT = 512,
	LIMIT_FACTS = 65536,

	/* addresses and names: RFC 5321, section 4.5.3.1 */
	LIMIT_LOCAL_PART = 64,
	LIMIT_DOMAIN = 255,
	LIMIT_ADDRESS = 320, /* local-part "@" domain */
	LIMIT_LOGIN = 255,

	/* SMTP */
	LIMIT_SMTP_LINE = 2048,  /* RFC 5321 asks 512, extensions add */
	LIMIT_SMTP_AUTH = 12288, /* RFC 4954, section 4 */
	LIMIT_SMTP_REPLY = 512,
	LIMIT_SMTP_REPLY_LINES = 100, /* of a server's reply */
	LIMIT_SMTP_RCPTS = 1000,      /* RFC 5321 asks 100 */
	LIMIT_SMTP_MAILS = 1296,      /* of one session: it has so many ids */
	LIMIT_SMTP_ERRORS = 20,
	LIMIT_TARPIT_ERRORS = 5,  /* are answered at once */
	LIMIT_DNSBLS = 16,        /* zones that `access` names */
	LIMIT_CLIENT_NAMES = 5,   /* of an address: those that are confirmed */
	LIMIT_MAIL_RCPTS = 65536, /* bytes of MAIL_RCPTS */
	LIMIT_RCPT_ARGS = 65536,  /* bytes of MAIL_RCPT_ARGS */
	LIMIT_ENVID = 100,        /* RFC 3461, section 4.4 */
	LIMIT_ORCPT = 500,        /* RFC 3461, section 4.2 */
	LIMIT_RECEIVED = 100,     /* RFC 5321, section 6.3 */
	LIMIT_HEADER = 1048576,   /* the header of a message */
	LIMIT_HEADER_FIELD = 65536,
	LIMIT_REPLY_TEXT = 400,
	LIMIT_MILTER_PACKET = 65536, /* one byte more than its data */
	LIMIT_MILTER_REPLY = 2048,   /* the lines of one */
	LIMIT_MILTER_NAME = 998,     /* of a field: RFC 5322, section 2.1.1 */
	LIMIT_MILTER_CHANGES = 10000,
	LIMIT_FREE_SPACE = 33554432, /* less than that on the disk: later */

	/* times: RFC 5321, section 4.5.3.2 */
	TIME_SMTP_CONNECT = 30, /* to one address */
	TIME_SMTP_COMMAND = 300,
	TIME_SMTP_DATA_REPLY = 120,
	TIME_SMTP_DATA_BLOCK = 180,
	TIME_SMTP_DATA_END = 600,
	TIME_SMTP_QUIT = 10,
	TIME_SEND_IDLE = 5, /* a session of msend with nothing to send */
	TIME_SMTP_SESSION = 7200,
	TIME_FUTURE_RELEASE = 2592000, /* RFC 4865 */
	TIME_GREYLIST = 300,
	TIME_GREYLIST_RETRY = 86400,
	TIME_GREYLIST_KNOWN = 3110400,
	TIME_TARPIT = 30,    /* before one reply */
	TIME_CLIENT_DNS = 5, /* what a client's address is known for */
	TIME_HANDSHAKE = 60,
	TIME_TLS_STALL = 300, /* the peer takes nothing */
	TIME_GREETER = 180,
	TIME_POP3_IDLE = 600,  /* RFC 1939, section 3 */
	TIME_POP3_LOGIN = 0,   /* RFC 2449, section 6.5 */
	TIME_IMPORT = 600,     /* silence of a server */
	TIME_IMAP_IDLE = 1800, /* RFC 3501, section 5.4 */
	TIME_IMAP_PROGRESS = 10,
	TIME_IMAP_STILL = 120, /* a word in IDLE; RFC 2177 has no time */
	TIME_FILTER = 300,
	TIME_MILTER = 30, /* a step of the envelope */
	TIME_COMMAND = 600,

	/* connections of one listener: `limits` can change them */
	LIMIT_CONNECTIONS = 1000,
	LIMIT_CONNECTIONS_ADDRESS = 100,
	LIMIT_CONNECTIONS_MAX = 20000,

	LIMIT_TLS_NAMES = 1000,         /* NAME.pem */
	LIMIT_TLS_CLIENT_CHAIN = 65536, /* certificates of a client */

	LIMIT_PROXY_HEADER = 4096, /* of version 2 of the protocol */

	/* job lines */
	LIMIT_JOB_LINE = 65536,
	LIMIT_RESULT_LINE = 4096,
	LIMIT_JOB_RCPTS = 100,
	LIMIT_JOBS_OUT = 32,
	LIMIT_ENVELOPE = 2097152, /* of a queue file */

	LIMIT_QUEUE_RCPTS = 65536,
	LIMIT_WORKERS_DESTINATION = 4,
	LIMIT_WORKERS_ROUTE = 50,
	TIME_RETRY_FIRST = 300, /* RFC 5321, section 4.5.4.1 */
	TIME_RETRY_MAX = 14400,
	TIME_QUEUE_LIFE = 432000,
	TIME_DELAY_NOTICE = 14400,
	TIME_IDLE_WORKER = 5,

	/* the record of a session */
	LIMIT_SESSION_UNREAD = 65536,
	LIMIT_SESSION_STATE = 1024,
	LIMIT_MONITOR_MSG = 8192,

	/* logins */
	LIMIT_PASSWORD = 1024,
	LIMIT_HASH = 512,
	LIMIT_SCRAM_SALT = 64,
	LIMIT_SCRAM_ROUNDS = 1000000,
	LIMIT_SCRAM_MSG = 2048,
	LIMIT_JSON_DEPTH = 32,
	LIMIT_TOKEN = 7168,          /* of OAUTHBEARER and XOAUTH2 */
	LIMIT_SESSIONS_USER = 50,    /* of each service; RFC 5530: LIMIT */
	LIMIT_SESSIONS_MAX = 100000, /* that may be allowed */
	LIMIT_AUTH_TRIES = 4,        /* wrong ones, then the connection ends */
	TIME_AUTH_DELAY = 1,         /* before a "no", growing with each */
	TIME_CHECKPASSWORD = 30,
	TIME_TOKEN = 30,

	/* IMAP and POP3 */
	LIMIT_IMAP_LINE = 65536,   /* a command without its literals */
	LIMIT_IMAP_LITERAL = 8192, /* before login, and for any argument */
	LIMIT_IMAP_NESTING = 32,
	LIMIT_IMAP_KEYS = 1000,
	LIMIT_IMAP_CONTEXTS = 16,     /* RFC 5267 asks 1 */
	LIMIT_IMAP_REFERENCES = 1000, /* of a message, for THREAD */
	LIMIT_IMAP_SORT_KEY = 512,    /* bytes that SORT compares */
	LIMIT_IMAP_ARGS = 8192, /* atoms, strings and lists of a command */
	LIMIT_IMAP_TAG = 100,
	LIMIT_IMAP_ID = 255,    /* what is kept of the ID of a client */
	LIMIT_IMAP_ERRORS = 20, /* BAD in a row */
	LIMIT_IMAP_ARENA = 2097152,
	LIMIT_IMAP_RESPONSE = 1048576, /* of a server, without messages */
	LIMIT_INFLATE_RATIO = 250,     /* what grows more is no mail, */
	LIMIT_INFLATE_FREE = 16777216, /* once it is so much */
	LIMIT_APPEND = 262144, /* names of files and keywords of messages */
	LIMIT_POP3_LINE = 512,
	LIMIT_POP3_ERRORS = 20,
	LIMIT_EVENT_RULES = 262144,  /* memory of them */
	LIMIT_EVENT_QUEUE = 8388608, /* bytes of what waits */
	EVENT_TRIES = 5,
	TIME_EVENT = 300,
	LIMIT_MAILBOX_NAME = 1000,
	LIMIT_PREFIX = 63,    /* that all names but INBOX begin with */
	LIMIT_METADATA = 100, /* entries of a mailbox: RFC 5464 asks 10 */
	LIMIT_ACL = 100,      /* identifiers of a mailbox */
	LIMIT_NOTIFY = 5000,  /* mailboxes that a NOTIFY is about */
	LIMIT_METADATA_VALUE = 4096, /* RFC 5464 asks 1024 */
	LIMIT_METADATA_ENTRY = 256,  /* its name */
	LIMIT_KEYWORDS = 64,
	LIMIT_VANISHED = 4096, /* ranges of UIDs that were expunged */
	LIMIT_KEYWORD = 64,
	LIMIT_AHEAD = 64,          /* messages that are read ahead */
	LIMIT_AHEAD_FRONT = 16384, /* of each so much */
	LIMIT_FLAG_WORDS = 16384,  /* keywords of a command, by name */

	/* MIME */
	LIMIT_MIME_DEPTH = 100,
	LIMIT_MIME_PARTS = 10000,
	LIMIT_DIGEST = 1048576,       /* ENVELOPE, BODY or BODYSTRUCTURE */
	LIMIT_DIGEST_KEPT = 65536,    /* texts of a message that are kept */
	LIMIT_PREVIEW = 200,          /* RFC 8970, section 3.2: characters */
	LIMIT_RECODE_HEADER = 262144, /* of a part written in 7 bits */
	LIMIT_RECODE_ARENA = 8388608, /* its places */

	LIMIT_STAT_DOMAINS = 65536
};

#define LIMIT_MESSAGE UINT64_C(1073741824) /* default of `limits` message */

#endif
