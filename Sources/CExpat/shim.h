#pragma once
#include <expat.h>
#include <string.h>

// XML_Bool's constants are macros with casts, which Swift does not import.
static inline void s3_xml_stop(XML_Parser parser) { (void)XML_StopParser(parser, XML_FALSE); }

// A function-like macro, which Swift does not import.
static inline void *s3_xml_user_data(XML_Parser parser) { return XML_GetUserData(parser); }

// Expat gives names as C strings; Swift would want the C library imported for their length.
static inline size_t s3_xml_length(const XML_Char *name) { return strlen(name); }
