#pragma once
#include <expat.h>

// XML_Bool's constants are macros with casts, which Swift does not import.
static inline void s3_xml_stop(XML_Parser parser) { (void)XML_StopParser(parser, XML_FALSE); }
