/**
 * How incoming objects are checked: everything they link to must be there, and git's fsck must find no fault. What is let
 * through are faults of old tools that many histories carry for ever and that harm nobody.
 */
export const STRICT =
  '--strict=zeroPaddedFilemode=ignore,badTimezone=ignore,missingSpaceBeforeDate=ignore,missingEmail=ignore,missingSpaceBeforeEmail=ignore,missingNameBeforeEmail=ignore,emptyName=ignore';
