// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf.Collections;
using Weft.Model.Intent;

namespace Weft.Control.Patches;

/// <summary>The operations on an element of a list: one rule for filters, chains, virtual hosts and routes.</summary>
internal static class ListPatch
{
    /// <summary>
    /// Applies an operation; true if it had something to apply to. Without an anchor INSERT_BEFORE goes to the front and INSERT_AFTER to the
    /// end; an anchor that is asked for and not there makes the patch match nothing.
    /// </summary>
    /// <param name="list">Changed.</param>
    /// <param name="operation">What to do.</param>
    /// <param name="make">A new element from the patch's value.</param>
    /// <param name="isMeant">Which elements are meant; null for an anchor that is not asked for.</param>
    /// <param name="merge">Puts the value into an element.</param>
    public static bool Apply<T>(RepeatedField<T> list, PatchOperation operation, Func<T> make, Func<T, bool>? isMeant, Action<T> merge)
        where T : class
    {
        var index = isMeant is null ? -1 : list.ToList().FindIndex(item => isMeant(item));
        if (isMeant is not null && index < 0 && operation is not PatchOperation.Add)
        {
            return false;
        }

        switch (operation)
        {
            case PatchOperation.Add:
                list.Add(make());
                return true;
            case PatchOperation.InsertFirst:
                list.Insert(0, make());
                return true;
            case PatchOperation.InsertBefore:
                list.Insert(Math.Max(0, index), make());
                return true;
            case PatchOperation.InsertAfter:
                list.Insert(index < 0 ? list.Count : index + 1, make());
                return true;
            case PatchOperation.Replace when index >= 0:
                list[index] = make();
                return true;
            case PatchOperation.Remove or PatchOperation.Merge:
                return Each(list, operation == PatchOperation.Remove, isMeant, merge);
            default:
                return false;
        }
    }

    private static bool Each<T>(RepeatedField<T> list, bool remove, Func<T, bool>? isMeant, Action<T> merge)
        where T : class
    {
        var meant = list.Where(item => isMeant is null || isMeant(item)).ToList();
        foreach (var item in meant)
        {
            if (remove)
            {
                list.Remove(item);
            }
            else
            {
                merge(item);
            }
        }

        return meant.Count > 0;
    }
}
