/*
 * smtpc_ext - the extensions that a server offers, and their parameters
 *
 * For smtpc.c alone.
 */
#ifndef SMTP_SMTPC_EXT_H
#define SMTP_SMTPC_EXT_H

#include "smtp/smtpc.h"

/* A line of the reply to EHLO, without its code. */
void smtpc_extension(struct smtpc *, struct span line);
void smtpc_forget(struct smtpc *);

/* Append the parameters of the message, or of a recipient, to out. */
void smtpc_put_mail_params(struct smtpc *);
void smtpc_put_rcpt_params(struct smtpc *, const struct smtpc_rcpt *);

#endif
