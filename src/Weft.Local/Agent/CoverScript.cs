// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Agent;

/// <summary>
/// The shell function <c>weft_cover FOLDER</c>: covers a folder of the host, in the container's own mount namespace, with one that holds
/// the same things and in which new places can be made without a mark on the host.
/// </summary>
internal static class CoverScript
{
    /// <summary>A folder with more entries than these is covered by an overlay, where the kernel lets this user have one.</summary>
    public const int MaxBoundEntries = 256;

    /// <summary>
    /// Of a folder with few entries each is bound to its original: everything goes on as before, also what is written there, and sockets.
    /// With many that would be as many mounts. An overlay is one, but what it shows is a picture: writes stay in the container, and a socket
    /// does not lead to who listens. So what lives there is bound in it all the same: mounts, sockets and pipes (and the folders that
    /// hold some), the pod's own folder and the sources of its volumes. Expects these in $pod and, a line each, in $sources.
    /// </summary>
    public static string Text { get; } = $$"""
        weft_bind() {
            if [ -L "$1" ]; then [ -L "$2" ] || cp -P "$1" "$2"
            elif [ -d "$1" ]; then mkdir -p "$2"; mount --rbind "$1" "$2"
            elif [ -e "$1" ]; then [ -e "$2" ] || : > "$2"; mount --bind "$1" "$2"
            fi
        }
        weft_alive() {
            {
                printf '%s\n%s\n' "$pod" "$sources"
                while read -r id parent device root point rest; do printf '%b\n' "$point"; done < /proc/self/mountinfo
                find "$1" -mindepth 1 -maxdepth 2 \( -type s -o -type p \) 2>/dev/null || :
            } | while read -r path; do
                case $path in "$1"/*) path=${path#"$1"/}; printf '%s\n' "${path%%/*}";; esac
            done | sort -u
        }
        weft_like() {
            chmod "$(stat -c %a "$1")" "$2"
            # An owner whom this user does not know cannot be given.
            chown "$(stat -c %u:%g "$1")" "$2" 2>/dev/null || :
        }
        weft_overlay() {
            mkdir under upper work all && weft_like "$1" upper && mount --rbind "$1" under &&
                mount -c -t overlay -o lowerdir=under,upperdir=upper,workdir=work overlay all 2>/dev/null
        }
        weft_cover() {
            layer=$(mktemp -d "$pod/cover.XXXXXX")
            mount -t tmpfs tmpfs "$layer"
            if [ "$1" != / ] && [ "$(ls -A "$1" | wc -l)" -gt {{MaxBoundEntries}} ]; then
                alive=$(weft_alive "$1")
                if (cd "$layer" && weft_overlay "$1"); then
                    while read -r entry; do [ -z "$entry" ] || weft_bind "$layer/under/$entry" "$layer/all/$entry"; done <<END
        $alive
        END
                    mount --rbind "$layer/all" "$1"
                    return
                fi
                umount -R -l "$layer"
                mount -t tmpfs tmpfs "$layer"
            fi
            weft_like "$1" "$layer"
            for entry in "${1%/}"/* "${1%/}"/.[!.]* "${1%/}"/..?*; do
                weft_bind "$entry" "$layer/${entry##*/}"
            done
            if [ "$1" != / ]; then mount --rbind "$layer" "$1"; return; fi
            cd "$layer"
            mkdir .weft-old
            pivot_root . .weft-old
            umount -l /.weft-old
            rmdir /.weft-old
            cd /
        }

        """;
}
