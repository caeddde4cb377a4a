// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Processes;

/// <summary>A mounted hierarchy of control groups and this process's place in it.</summary>
internal sealed record CgroupMount(string Folder, IReadOnlyList<string> Controllers, bool IsUnified, string Own)
{
    /// <summary>All of them, as /proc tells.</summary>
    public static IReadOnlyList<CgroupMount> Read()
    {
        var own = File.ReadAllLines("/proc/self/cgroup").Select(l => l.Split(':', 3)).Where(p => p.Length == 3).ToList();
        var mounts = new List<CgroupMount>();
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            // id parent device root folder options [tags] - type source super-options
            var words = line.Split(' ');
            var dash = Array.IndexOf(words, "-");
            if (dash < 6 || dash + 3 >= words.Length || words[dash + 1] is not ("cgroup" or "cgroup2"))
            {
                continue;
            }

            var unified = words[dash + 1] == "cgroup2";
            var controllers = unified ? [] : words[dash + 3].Split(',');
            var path = own.FirstOrDefault(p => unified ? p[0] == "0" : p[1].Length > 0 && p[1].Split(',').Any(controllers.Contains))?[2] ?? "/";
            var relative = path.StartsWith(words[3], StringComparison.Ordinal) ? path[words[3].Length..] : path;
            mounts.Add(new CgroupMount(words[4], controllers, unified, relative.Trim('/')));
        }

        return mounts;
    }

    /// <summary>Where groups might be made, the nearest first: in one's own group, and outwards from there.</summary>
    public IEnumerable<string> Places()
    {
        for (var place = Own; place.Length > 0; place = place.Contains('/', StringComparison.Ordinal) ? place[..place.LastIndexOf('/')] : "")
        {
            yield return Path.Combine(Folder, place);
        }

        yield return Folder;
    }
}
