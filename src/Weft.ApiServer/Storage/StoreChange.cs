// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Storage;

/// <summary>One committed write; <paramref name="Previous"/> is null when the object is new or its history was not kept.</summary>
public sealed record StoreChange(ChangeType Type, StoredObject Object, StoredObject? Previous)
{
    public long Version => Object.Version;
}

/// <summary>What happened to an object.</summary>
public enum ChangeType
{
    Added = 0,
    Modified = 1,
    Deleted = 2,
}
