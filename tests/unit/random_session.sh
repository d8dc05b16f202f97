# A repository and a session's work in it, by chance: RANDOM=7; . random_session.sh; fill; git commit ...; work
# For tests that compare with what git says of it afterwards; commands that make no sense at the moment simply fail.

folders=(. a b a/c d.e 'f g')
names=(x y z foo.c bar.h README 'sp ace' $'u\xc3\xa9')
FILES=25 STEPS=25

one_of() {
    local -n list=$1
    printf '%s' "${list[RANDOM % ${#list[@]}]}"
}
some_path() { echo "$(one_of folders)/$(one_of names)$((RANDOM % 4))"; }
some_file() { git ls-files -z | tr '\0' '\n' | shuf -n1 --random-source=<(yes $RANDOM); }

# Every line ends with a newline: git before 2.44 does not weigh an unfinished last line when it looks for renames.
some_lines() {
    local count=$((RANDOM % 60)) i
    for ((i = 0; i < count; i++)); do echo "line $((RANDOM % 40)) $((RANDOM % 3))"; done
}

write() {
    mkdir -p "$(dirname "$1")"
    case $((RANDOM % 24)) in
        0) printf '\0binary%d' $RANDOM >"$1" ;;
        1) ln -sfn "target$((RANDOM % 5))" "$1" ;;
        *) some_lines >"$1" ;;
    esac
    [ $((RANDOM % 8)) -ne 0 ] || chmod +x "$1"
}

edit() { [ -L "$2" ] || sed -i "$1" "$2"; }

step() {
    local file=$1 to
    case $2 in
        0) rm -rf "$file" ;;
        1) git rm -qf "$file" ;;
        2) git mv -k "$file" "$(some_path)" ;;
        3) write "$(some_path)" ;;
        4) write "$(some_path)" && git add -A ;;
        5) edit "$((RANDOM % 10 + 1))d" "$file" ;;
        6) [ -L "$file" ] || echo "more $RANDOM" >>"$file" ;;
        7) chmod +x "$file" ;;
        8) git commit -qam work ;;
        9) git rm -q --cached "$file" ;;
        10)
            to=$(some_path)
            mkdir -p "$(dirname "$to")"
            git mv -k "$file" "$to" && edit 1,3d "$to"
            ;;
        11) rm -rf "$file" && mkdir -p "$file" && echo in >"$file/inner" ;;
        12)
            to=$(dirname "$file")
            [ "$to" = . ] || { rm -rf "$to" && echo file >"$to"; }
            ;;
        13) cp -P "$file" "$(some_path)" ;;
        14) git stash -q && git stash pop -q ;;
        15) git add -N . ;;
    esac
}

fill() { for ((k = 0; k < FILES; k++)); do write "$(some_path)"; done; }
work() { for ((k = 0; k < STEPS; k++)); do step "$(some_file)" $((RANDOM % 16)); done; }
