// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Local.Agent;

/// <summary>A folder or file of the node that appears in a container.</summary>
internal sealed record VolumeMount(string Source, string Target, bool ReadOnly)
{
    /// <summary>As children of the shell see its descriptor; mount must not ask which path it stands for, hence its -c.</summary>
    private const string Held = "/proc/self/fd/9";

    /// <summary>The mounts, and one more that shows the mesh's own programs where a volume at a folder above would hide them.</summary>
    public static IReadOnlyList<VolumeMount> Beside(string programs, IReadOnlyList<VolumeMount> mounts) =>
        Directory.Exists(programs) && mounts.Any(m => IsBelow(programs, m.Target)) ? [.. mounts, new VolumeMount(programs, programs, ReadOnly: true)] : mounts;

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
                mkdir -p "$pod/stage"
                if [ -d "$2" ]; then mkdir -p "$pod/stage/$1"; else : > "$pod/stage/$1"; fi
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
        var late = Late(mounts, podFolder);
        foreach (var i in staged.Union(late).Order())
        {
            text.Append(CultureInfo.InvariantCulture, $"weft_stage {i} {ContainerScript.Quote(mounts[i].Source)}\n");
        }

        foreach (var i in Enumerable.Range(0, mounts.Count).Except(late))
        {
            text.Append("weft_mount ");
            _ = staged.Contains(i)
                ? text.Append(CultureInfo.InvariantCulture, $"\"$pod/stage/{i}\"")
                : text.Append(ContainerScript.Quote(mounts[i].Source));
            text.Append(' ').Append(ContainerScript.Quote(mounts[i].Target)).Append(mounts[i].ReadOnly ? " ro" : " rw").Append('\n');
        }

        return text.ToString();
    }

    /// <summary>
    /// The lines for volumes that come last, since they hide what others are mounted from: the pod's folder where the mesh's home lies below
    /// a volume's target (<c>/tmp</c>), or another volume's source. Their sources are held by a descriptor, which no mount hides; what
    /// lies in such a volume is made in it, as a kubelet does.
    /// </summary>
    public static string LateScript(IReadOnlyList<VolumeMount> mounts, string podFolder)
    {
        var late = Late(mounts, podFolder);
        if (late.Count == 0)
        {
            return "";
        }

        var text = new StringBuilder("""
            weft_late() {
                if [ -e "$2" ]; then :; elif [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; : > "$2"; fi
                mount -c --rbind "$1" "$2"
                if [ "$3" = ro ]; then mount -o remount,bind,ro "$2"; fi
            }
            exec 9<"$pod/stage"

            """);
        foreach (var i in late)
        {
            text.Append(CultureInfo.InvariantCulture, $"weft_late {Held}/{i} {ContainerScript.Quote(mounts[i].Target)} {(mounts[i].ReadOnly ? "ro" : "rw")}\n");
        }

        return text.Append("exec 9<&-\n").ToString();
    }

    private static List<int> Late(IReadOnlyList<VolumeMount> mounts, string podFolder)
    {
        var late = new List<int>();
        for (var i = 0; i < mounts.Count; i++)
        {
            var target = mounts[i].Target;
            if (IsBelow(podFolder, target) || mounts.Any(m => IsBelow(m.Source, target)) || late.Exists(l => IsBelow(target, mounts[l].Target)))
            {
                late.Add(i);
            }
        }

        return late;
    }

    private static bool IsBelow(string path, string folder) => path.StartsWith($"{folder.TrimEnd('/')}/", StringComparison.Ordinal);
}
