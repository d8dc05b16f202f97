# A repository and a session's work in it, by chance: seed=7; . random_session.sh; fill; git commit ...; work
# For tests that compare with what git says of it afterwards; commands that make no sense at the moment simply fail.
# The same seed makes the same session: nothing random happens in a subshell, where bash's RANDOM begins anew.

folders=(. a b a/c d.e 'f g')
names=(x y z foo.c bar.h README 'sp ace' $'u\xc3\xa9')
FILES=25 STEPS=25

# chance N: sets `drawn` to 0..N-1.
chance() {
    seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
    drawn=$(((seed >> 8) % $1))
}

# Sets `path`: one that may be there or not.
draw_path() {
    chance ${#folders[@]}
    path=${folders[drawn]}
    chance ${#names[@]}
    path+=/${names[drawn]}
    chance 4
    path+=$drawn
}

# Sets `file`: one of the index, or nothing.
draw_file() {
    local files
    mapfile -d '' files < <(git ls-files -z)
    chance $((${#files[@]} + (${#files[@]} == 0)))
    file=${files[drawn]:-}
}

# Every line ends with a newline: git before 2.44 does not weigh an unfinished last line when it looks for renames.
write_lines() {
    local count i
    chance 60
    count=$drawn
    : >"$1" || return
    for ((i = 0; i < count; i++)); do
        chance 120
        echo "line $drawn" >>"$1"
    done
}

write() {
    mkdir -p "$(dirname "$1")"
    chance 24
    case $drawn in
        0) printf '\0binary%d' "$seed" >"$1" ;;
        1) ln -sfn "target$seed" "$1" ;;
        *) write_lines "$1" ;;
    esac
    chance 8
    [ $drawn -ne 0 ] || chmod +x "$1"
}

edit() { [ -L "$2" ] || sed -i "$1" "$2"; }

step() {
    draw_file
    draw_path
    chance 16
    [ -n "$file" ] || drawn=3
    case $drawn in
        0) rm -rf "$file" ;;
        1) git rm -qf "$file" ;;
        2) git mv -k "$file" "$path" ;;
        3) write "$path" ;;
        4) write "$path" && git add -A ;;
        5) edit 4d "$file" ;;
        6) [ -L "$file" ] || echo "more $seed" >>"$file" ;;
        7) chmod +x "$file" ;;
        8) git commit -qam work ;;
        9) git rm -q --cached "$file" ;;
        10) mkdir -p "$(dirname "$path")" && git mv -k "$file" "$path" && edit 1,3d "$path" ;;
        11) rm -rf "$file" && mkdir -p "$file" && echo in >"$file/inner" ;;
        12)
            path=$(dirname "$file")
            [ "$path" = . ] || { rm -rf "$path" && echo file >"$path"; }
            ;;
        13) cp -P "$file" "$path" ;;
        14) git stash -q && git stash pop -q ;;
        15) git add -N . ;;
    esac
}

fill() {
    for ((k = 0; k < FILES; k++)); do
        draw_path
        write "$path"
    done
}
work() { for ((k = 0; k < STEPS; k++)); do step; done; }
