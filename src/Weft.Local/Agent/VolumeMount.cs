// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Agent;

/// <summary>A folder or file of the node that appears in a container.</summary>
internal sealed record VolumeMount(string Source, string Target, bool ReadOnly)
{
    /// <summary>
    /// The shell lines that mount the volumes in the container's own mount namespace. A target that the host does not have
    /// cannot be made there (it would stay): its nearest parent is covered with a tmpfs that holds the same things, each bound to
    /// its original, and the target. An overlay would do it in one step, but not every kernel lets an ordinary user have one.
    /// </summary>
    public static string Script(IReadOnlyList<VolumeMount> mounts, string podFolder)
    {
        if (mounts.Count == 0)
        {
            return "";
        }

        var text = new StringBuilder();
        text.Append("pod=").Append(ContainerScript.Quote(podFolder)).Append('\n');
        text.Append("""
            weft_cover() {
                layer=$(mktemp -d "$pod/cover.XXXXXX")
                mount -t tmpfs -o mode=755 tmpfs "$layer"
                for entry in "${1%/}"/* "${1%/}"/.[!.]*; do
                    copy=$layer/${entry##*/}
                    if [ -L "$entry" ]; then cp -P "$entry" "$copy"
                    elif [ -d "$entry" ]; then mkdir "$copy"; mount --rbind "$entry" "$copy"
                    elif [ -e "$entry" ]; then : > "$copy"; mount --bind "$entry" "$copy"
                    fi
                done
                if [ "$1" != / ]; then mount --rbind "$layer" "$1"; return; fi
                cd "$layer"
                mkdir .weft-old
                pivot_root . .weft-old
                umount -l /.weft-old
                rmdir /.weft-old
                cd /
            }
            weft_mount() {
                if [ ! -e "$2" ]; then
                    parent=$(dirname "$2")
                    while [ ! -d "$parent" ]; do parent=$(dirname "$parent"); done
                    weft_cover "$parent"
                    if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; : > "$2"; fi
                fi
                mount --bind "$1" "$2"
                if [ "$3" = ro ]; then mount -o remount,bind,ro "$2"; fi
            }

            """);
        foreach (var mount in mounts)
        {
            text.Append("weft_mount ").Append(ContainerScript.Quote(mount.Source)).Append(' ').Append(ContainerScript.Quote(mount.Target))
                .Append(mount.ReadOnly ? " ro" : " rw").Append('\n');
        }

        return text.ToString();
    }
}
