// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Processes;

/// <summary>Finds programs of the host, also where an ordinary user's PATH does not look.</summary>
internal static class Programs
{
    private static readonly string[] _systemFolders =
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>PATH of this process followed by the system folders that it lacks.</summary>
    public static string SearchPath { get; } = string.Join(':', Folders());

    /// <summary>The program's full path, or null.</summary>
    public static string? Find(string name) =>
        name.Contains('/', StringComparison.Ordinal)
            ? (File.Exists(name) ? name : null)
            : Folders().Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>As <see cref="Find"/>, but its absence is an error.</summary>
    public static string Require(string name) =>
        Find(name) ?? throw new FileNotFoundException($"The program '{name}' was not found in {SearchPath}.");

    private static IEnumerable<string> Folders()
    {
        var own = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return own.Concat(_systemFolders).Distinct(StringComparer.Ordinal);
    }
}
