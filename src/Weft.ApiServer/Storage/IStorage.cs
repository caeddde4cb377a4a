// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.ApiServer.Storage;

/// <summary>
/// What an <see cref="ObjectStore"/> keeps its objects in: it commits one write at a time against an expected version, and tells
/// the store of every commit, its own and those of others, in order and without gaps.
/// </summary>
internal interface IStorage : IDisposable
{
    /// <summary>Hands over all there is and the changes that are remembered; reports from then on.</summary>
    void Open(ObjectStore store);

    /// <summary>
    /// Commits the write if the object is at the expected version; null when it is not. Returns after the store shows the
    /// result; throws an <see cref="Http.ApiException"/> when nothing can be written.
    /// </summary>
    StoredObject? TryCommit(in PendingWrite write);

    /// <summary>Why nothing can be written now; null in health.</summary>
    string? Trouble { get; }
}

/// <summary>One write on its way: a new state, or a removal when <paramref name="Tree"/> is null.</summary>
/// <param name="Expected">The version that it replaces; 0 when no such object may exist.</param>
/// <param name="UnchangedSince">No other object of the resource may have been written after this version.</param>
internal readonly record struct PendingWrite(
    string Resource, ObjectKey Key, JsonObject? Tree, long Expected, long UnchangedSince = long.MaxValue);
