# The operations of the API that the descriptions of the command line or of the configuration have.
function __fish_tokenward_described
    set -l words (commandline -opc)
    set -l options
    for at in (seq (count $words))
        switch $words[$at]
            case --openapi --config
                test $at -lt (count $words); and set -a options $words[$at] $words[(math $at + 1)]
            case '--openapi=*' '--config=*'
                set -a options $words[$at]
        end
    end
    command $words[1] complete-operations $options $argv 2>/dev/null
end

# The words after the verb that are neither options nor their values.
function __fish_tokenward_given
    set -l words (commandline -opc)
    set -l is_value 0
    for word in $words[3..-1]
        if test $is_value = 1
            set is_value 0
            continue
        end
        switch $word
            case --openapi --config --base-path --format --budget --policies --artifact
                set is_value 1
            case '-*'
            case '*'
                echo $word
        end
    end
end

complete -c tokenward -n "__fish_tokenward_using_subcommand reach" -l operation -x -a "(__fish_tokenward_described)"
complete -c tokenward -n "__fish_tokenward_using_subcommand token; and __fish_seen_subcommand_from new" -l operation -x -a "(__fish_tokenward_described)"
complete -c tokenward -n "__fish_tokenward_using_subcommand who-can; and test (count (__fish_tokenward_given)) -eq 0" -f -a "(__fish_tokenward_described)"
complete -c tokenward -n "__fish_tokenward_using_subcommand who-can; and test (count (__fish_tokenward_given)) -eq 1" -f -a "(__fish_tokenward_described --paths-of (__fish_tokenward_given))"
