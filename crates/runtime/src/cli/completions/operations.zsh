# The operations of the API that the descriptions of the command line or of the configuration have.
_tokenward_described() {
    local -a options found
    local at
    for (( at = 1; at < CURRENT; at++ )); do
        case "${words[at]}" in
            --openapi|--config) options+=("${words[at]}" "${(Q)words[at+1]}") ;;
            --openapi=*|--config=*) options+=("${(Q)words[at]}") ;;
        esac
    done
    found=(${(f)"$(command tokenward complete-operations ${options} "$@" 2>/dev/null)"})
    (( ${#found} )) || return 1
    found=("${(@)found//:/\\:}")
    found=("${(@)found/$'\t'/:}")
    _describe -t operations operation found
}

_tokenward_operations() {
    _tokenward_described || _default
}

_tokenward_paths() {
    _tokenward_described --paths-of "${(Q)words[CURRENT-1]}" || _default
}
