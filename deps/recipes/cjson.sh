# -O2, whatever the rest has: parsing and printing events is what the bridge spends its time on (half as slow again at -Os).
case $flavour in musl) speed=-O2 ;; *) speed= ;; esac
archive cjson cJSON.c "-DCJSON_HIDE_SYMBOLS $speed"
cp cJSON.h "$prefix/include/"
