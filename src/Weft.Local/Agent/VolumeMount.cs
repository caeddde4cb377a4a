// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Local.Agent;

/// <summary>A folder or file of the node that appears in a container.</summary>
internal sealed record VolumeMount(string Source, string Target, bool ReadOnly)
{
    /// <summary>
    /// The shell lines that mount the volumes in the container's own mount namespace. A target that the host does not have
    /// cannot be made there (it would stay): its nearest parent is covered with one in which it can (<see cref="CoverScript"/>).
    /// </summary>
    public static string Script(IReadOnlyList<VolumeMount> mounts, string podFolder)
    {
        if (mounts.Count == 0)
        {
            return "";
        }

        var text = new StringBuilder();
        text.Append("pod=").Append(ContainerScript.Quote(podFolder)).Append('\n')
            .Append("sources=").Append(ContainerScript.Quote(string.Join('\n', mounts.Select(m => m.Source)))).Append('\n')
            .Append(CoverScript.Text)
            .Append("""
            weft_stage() {
                mkdir -p "$pod/stage/$1"
                mount --rbind "$2" "$pod/stage/$1"
            }
            weft_mount() {
                if [ ! -e "$2" ]; then
                    parent=$(dirname "$2")
                    while [ ! -d "$parent" ]; do parent=$(dirname "$parent"); done
                    weft_cover "$parent"
                    if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; : > "$2"; fi
                fi
                mount --rbind "$1" "$2"
                if [ "$3" = ro ]; then mount -o remount,bind,ro "$2"; fi
            }

            """);

        // What holds a target is held fast before anything is covered: it is to show the node's files, not the covers.
        var staged = new HashSet<int>(Enumerable.Range(0, mounts.Count).Where(i => mounts.Any(m => IsBelow(m.Target, mounts[i].Source))));
        foreach (var i in staged)
        {
            text.Append(CultureInfo.InvariantCulture, $"weft_stage {i} {ContainerScript.Quote(mounts[i].Source)}\n");
        }

        for (var i = 0; i < mounts.Count; i++)
        {
            text.Append("weft_mount ");
            _ = staged.Contains(i)
                ? text.Append(CultureInfo.InvariantCulture, $"\"$pod/stage/{i}\"")
                : text.Append(ContainerScript.Quote(mounts[i].Source));
            text.Append(' ').Append(ContainerScript.Quote(mounts[i].Target)).Append(mounts[i].ReadOnly ? " ro" : " rw").Append('\n');
        }

        return text.ToString();
    }

    private static bool IsBelow(string path, string folder) => path.StartsWith($"{folder.TrimEnd('/')}/", StringComparison.Ordinal);
}
