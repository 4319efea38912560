/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${NAME} in the message of a step of on_open, and $${ for ${ itself. Pure: it
 * only takes text apart; who fills in what stands for a name is link/.
 */
#ifndef WSB_CONF_CONF_TEMPLATE_H
#define WSB_CONF_CONF_TEMPLATE_H

#include "base/span.h"

#define CONF_NAME_MAX 64 /* of a name, [A-Za-z0-9_] */

enum conf_piece {
	PIECE_END,
	PIECE_TEXT, /* bytes that go out as they are */
	PIECE_NAME, /* of what is to be put in */
	PIECE_BAD,  /* a ${ without a name and a closing brace; never in a finished configuration */
};

/* Takes the next piece off *rest. */
enum conf_piece conf_template_next(struct span *rest, struct span *piece);

bool conf_is_template(struct span text); /* is there a ${ in it? */
bool conf_name_valid(const char *name);

#endif
