<?php
  // The documentation's list of parameters, in the way of its sample. The day
  // of expiry is one that has not passed, and the notes are as long as may be.
  $vars = array();
  $vars['login'] = 'YourApiLoginHere';
  $vars['pass'] = 'YourApiPasswordHere';
  $vars['external_url'] = 'http://www.google.com';
  $vars['expires_at'] = '2094-12-24 10:35:16';
  $vars['vanity_link'] = 'my_vanity_link';
  $vars['title'] = 'My Title';
  $vars['description'] = 'A description here';
  $vars['notes'] = str_repeat('Some notes', 1000);
  $vars['password'] = 'letmein';
  $vars['host'] = 'alternate_domain.com';
  $vars['alert_at'] = 100;
  $vars['deactivate_at'] = 100;
  $vars['is_public'] = 1;
  $vars['has_public_tracking'] = 1;
  $vars['is_active'] = 1;
  $vars['has_alert_email'] = 1;
  $vars['has_plus_tracking'] = 1;
  $vars['has_conversion_tracking'] = 1;
  $vars['group'] = 'My Group';

  $ch = curl_init();

  curl_setopt($ch, CURLOPT_URL, 'https://linktrack.info/api/v1_0/makeLink');
  // Old versions of curl ask for leave to send more than 1,024 bytes, new ones
  // more than 1 MiB, which no makeLink has.
  curl_setopt($ch, CURLOPT_HTTPHEADER, array('Expect: 100-continue'));
  curl_setopt($ch, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_setopt($ch, CURLOPT_POST, true);
  curl_setopt($ch, CURLOPT_POSTFIELDS, $vars);
  curl_setopt($ch, CURLOPT_VERBOSE, true);
  curl_setopt($ch, CURLOPT_SSL_VERIFYPEER, false);
  curl_setopt($ch, CURLOPT_SSL_VERIFYHOST, false);
  curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);

  $return_data = curl_exec($ch);
?>
