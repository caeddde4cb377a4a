// SPDX-License-Identifier: Apache-2.0

namespace Weft.Cli.Tests;

/// <summary>A folder of one test, removed with all in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("weft-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
