# Strict mode refuses what real servers send (a space in a reason phrase, for one).
archive http_parser http_parser.c -DHTTP_PARSER_STRICT=0
cp http_parser.h "$prefix/include/"
