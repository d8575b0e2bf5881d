# The operations of the API that the descriptions of the command line or of the configuration have.
_tokenward_operations() {
    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
    local verb="${COMP_WORDS[1]}" at word line ask="" options=() given=()
    for (( at = 2; at < COMP_CWORD; at++ )); do
        word="${COMP_WORDS[at]}"
        case "${word}" in
            --openapi|--config)
                options+=("${word}" "${COMP_WORDS[at+1]}")
                (( at++ ))
                ;;
            --base-path|--format|--budget|--policies|--artifact) (( at++ )) ;;
            -*) ;;
            *) given+=("${word}") ;;
        esac
    done
    case "${verb}" in
        who-can)
            if [[ "${current}" == -* || "${before}" == --* && "${before}" != --json ]]; then
                :
            elif (( ${#given[@]} == 0 )); then
                ask="operations"
            elif (( ${#given[@]} == 1 )); then
                ask="paths"
                options+=(--paths-of "${given[0]}")
            fi
            ;;
        reach|token) [[ "${before}" == --operation ]] && ask="operations" ;;
    esac
    if [[ -n "${ask}" ]]; then
        COMPREPLY=()
        while IFS=$'\t' read -r line _; do
            if [[ "${line}" == "${current}"* ]]; then
                printf -v line '%q' "${line}"
                COMPREPLY+=("${line}")
            fi
        done < <("${COMP_WORDS[0]}" complete-operations "${options[@]}" 2>/dev/null)
        (( ${#COMPREPLY[@]} > 0 )) && return 0
    fi
    _tokenward "$@"
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _tokenward_operations -o nosort -o bashdefault -o default tokenward
else
    complete -F _tokenward_operations -o bashdefault -o default tokenward
fi
