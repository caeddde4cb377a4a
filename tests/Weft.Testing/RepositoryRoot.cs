// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing;

/// <summary>Finds files of the repository from wherever the tests run.</summary>
public static class RepositoryRoot
{
    public static string Path { get; } = Find();

    public static string File(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(System.IO.Path.Combine(folder.FullName, "Weft.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No Weft.slnx above {AppContext.BaseDirectory}.");
    }
}
