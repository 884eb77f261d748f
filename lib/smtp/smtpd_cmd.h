/*
 * smtpd_cmd - the commands of smtpd; for smtpd.c alone
 */
#ifndef SMTP_SMTPD_CMD_H
#define SMTP_SMTPD_CMD_H

#include "smtp/smtpd.h"

/*
 * Carry out a command line (without its CRLF).  *in is what follows it.
 * SMTPD_MORE when it was answered, else what the caller must know.
 */
enum smtpd_event smtpd_command(
    struct smtpd *, struct span line, struct span *in);

/* Forget the transaction. */
void smtpd_reset(struct smtpd *);

/* BDAT and its argument; then what smtpd_next does in SMTPD_IN_CHUNK. */
enum smtpd_event smtpd_bdat(struct smtpd *, struct span arg);
bool smtpd_chunk(struct smtpd *, struct span *in, enum smtpd_event *);

/* The name of HELO or EHLO, noted; false when there is none. */
bool smtpd_take_helo(struct smtpd *, struct span name);

/* XCLIENT's arguments; false when they are not well formed. */
MUST bool smtpd_xclient_args(struct smtpd_xclient *, struct span);

/* A reply that decides nothing and is no error. */
void smtpd_put_line(struct smtpd *, int code, struct span text);

/* Copy what smtpd_refuse was told: the code, the text at refusal + 4. */
int smtpd_refusal(const struct smtpd *, char refusal[LIMIT_SMTP_REPLY]);

/*
 * The parameters behind MAIL's and RCPT's path: [SP Mail-parameters].
 * False, with *why, for one that is wrong or unknown.
 */
MUST bool smtpd_mail_params(struct smtpd *, struct span, enum smtp_reply *why);
MUST bool smtpd_rcpt_params(struct smtpd *, struct span, enum smtp_reply *why);

/* As if MAIL and RCPT had none. */
void smtpd_clear_params(struct smtpd *);

#endif
