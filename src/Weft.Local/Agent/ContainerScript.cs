// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Agent;

/// <summary>
/// What a container's first shell does before it becomes the command: joins its control group, mounts, binds, gives up rights. It
/// is process 1 of the container, and so is the command that it turns into.
/// </summary>
internal static class ContainerScript
{
    /// <summary>How the shell ends when it could not prepare everything.</summary>
    public const int FailureCode = 128;

    /// <summary>
    /// A shell outside the new process namespace, whose child is process 1 of it. It passes the exit code on; unshare --fork does not
    /// when the child was killed with signal 9.
    /// </summary>
    public const string Watcher = "\"$@\"; exit $?";

    /// <param name="terminal">The path of the container's terminal; empty for none.</param>
    public static string Write(ContainerStart options, string terminal)
    {
        var text = new StringBuilder("set -e\n");
        foreach (var file in options.Group?.EntryFiles ?? [])
        {
            text.Append("echo 0 > ").Append(Quote(file)).Append('\n');
        }

        text.Append("mount -t proc proc /proc\nhostname ").Append(Quote(options.HostName)).Append('\n');
        text.Append(VolumeMount.Script(options.Mounts, options.PodFolder));
        foreach (var name in (string[])["resolv.conf", "hosts"])
        {
            // Where the host has a link, as with systemd-resolved, its target is covered.
            text.Append("target=/etc/").Append(name).Append("; if [ -L $target ]; then target=$(readlink -f $target) || target=; fi\n")
                .Append("if [ -e \"$target\" ]; then mount --bind ").Append(Quote(Path.Combine(options.PodFolder, name))).Append(" \"$target\"; fi\n");
        }

        text.Append(VolumeMount.LateScript(options.Mounts, options.PodFolder));
        if (options.Rights.ReadOnlyRoot)
        {
            ReadOnly(text, options);
        }

        if (options.WorkingFolder.Length > 0)
        {
            text.Append("cd ").Append(Quote(options.WorkingFolder)).Append('\n');
        }

        text.Append("PATH=$WEFT_CONTAINER_PATH; export PATH; unset WEFT_CONTAINER_PATH\n")
            .Append("found=$(command -v -- \"$1\") || { echo \"exec: \\\"$1\\\": executable file not found in \\$PATH\" >&2; exit 127; }\n")
            .Append("case $found in /*) [ -x \"$found\" ] || { echo \"exec: \\\"$1\\\": permission denied\" >&2; exit 126; };; esac\n")
            .Append(ReadyMark.Line).Append('\n');
        text.Append(terminal.Length > 0
            ? $"exec setsid --ctty --wait {options.Rights.Command} \"$@\" <>{Quote(terminal)} >&0 2>&1\n"
            : $"exec {options.Rights.Command} \"$@\"\n");
        return text.ToString();
    }

    public static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>
    /// Every mount but devices, processes and volumes becomes read-only. The other options of each are repeated: an ordinary user may
    /// not drop them.
    /// </summary>
    private static void ReadOnly(StringBuilder text, ContainerStart options)
    {
        // Read at once: the kernel's list begins anew while mounts change.
        text.Append("""
            mounts=$(cat /proc/self/mountinfo)
            while read -r id parent device root point flags rest; do
                case $point in
                    /dev|/dev/*|/proc|/proc/*)
                        continue
                        ;;

            """);
        foreach (var mount in options.Mounts)
        {
            text.Append("        ").Append(Quote(mount.Target)).Append('|').Append(Quote(mount.Target)).Append("/*) continue;;\n");
        }

        text.Append("""
                esac
                mount -o "remount,bind,ro${flags#r[ow]}" "$point"
            done <<END
            $mounts
            END

            """);
    }
}
