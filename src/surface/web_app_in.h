/* web_app_in.h: the table that tools/embed_web.py writes. */
#ifndef PLATEN_SURFACE_WEB_APP_IN_H
#define PLATEN_SURFACE_WEB_APP_IN_H

#include "surface/web_app.h"

extern const WebAsset web_app_assets[]; /* by path */
extern const size_t web_app_assets_len;

#endif
